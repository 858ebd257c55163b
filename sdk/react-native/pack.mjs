// What the npm package has from elsewhere in the repository: `npm pack` has it made here before, and taken away after.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

const [task] = process.argv.slice(2);
if (task === "add") {
  for (const name of ["LICENSE", "NOTICE"]) await cp(join(root, name), join(here, name));
  await mkdir(join(here, "models"), { recursive: true });
  for (const name of ["student", "world", "upright", "world-upright"]) {
    const text = (await readFile(join(root, "sdk", "scriptkd_sdk", "models", `${name}.onnx`))).toString("base64");
    await writeFile(join(here, "models", `${name}.js`), `import { bytes } from "../src/base64.js";\n\nexport default bytes("${text}");\n`);
  }
} else if (task === "remove") {
  for (const name of ["models", "LICENSE", "NOTICE"]) await rm(join(here, name), { recursive: true });
} else throw new Error(`node pack.mjs add, or remove; not ${task}`);
