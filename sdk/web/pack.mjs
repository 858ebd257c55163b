// What the npm package has from elsewhere in the repository: `npm pack` has it copied here before, and taken away after.

import { cp, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const bundled = join(root, "sdk", "scriptkd_sdk", "models");

/** Where the parts come from, by where they go. */
const PARTS = {
  LICENSE: join(root, "LICENSE"),
  NOTICE: join(root, "NOTICE"),
  ...Object.fromEntries(["student", "world", "upright", "world-upright"].flatMap((model) => [`${model}.onnx`, `${model}.md`]).map((name) => [join("models", name), join(bundled, name)])),
};

const [task] = process.argv.slice(2);
if (task === "add") {
  await mkdir(join(here, "models"), { recursive: true });
  for (const [to, from] of Object.entries(PARTS)) await cp(from, join(here, to));
} else if (task === "remove") {
  for (const to of ["models", "LICENSE", "NOTICE"]) await rm(join(here, to), { recursive: true });
} else throw new Error(`node pack.mjs add, or remove; not ${task}`);
