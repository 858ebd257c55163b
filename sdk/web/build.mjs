// Puts the page together in build/web: plain files that any web server can serve. `npm run build`, or `make web`.

import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { FILE, Unavailable, detector } from "./detector.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
export const out = join(root, "build", "web");
const runtime = join(here, "node_modules", "onnxruntime-web", "dist");

/** The page's parts: where they come from, and where they go. */
const PARTS = [
  [join(here, "page"), "."],
  [join(here, "src"), "scriptkd"],
  [join(root, "sdk", "scriptkd_sdk", "models", "student.onnx"), "student.onnx"],
  ...["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map((name) => [
    join(runtime, name),
    join("ort", name),
  ]),
];

export async function build() {
  const { path, notice } = await detector(); // first: what is there stays if it cannot be had
  await rm(out, { recursive: true, force: true });
  await mkdir(join(out, "ort"), { recursive: true });
  for (const [from, to] of PARTS) await cp(from, join(out, to), { recursive: true });
  await mkdir(join(out, "detector"));
  await cp(path, join(out, "detector", FILE));
  await cp(join(root, "LICENSE"), join(out, "detector", "LICENSE.txt"));
  await writeFile(join(out, "detector", "NOTICE.txt"), notice);
}

/** What a visitor downloads, in bytes: `{ name, plain, gzipped }` for each file. */
export async function sizes() {
  const files = (await readdir(out, { recursive: true })).sort();
  const found = [];
  for (const name of files) {
    const path = join(out, name);
    if ((await stat(path)).isDirectory()) continue;
    const content = await readFile(path);
    found.push({ name: relative(out, path), plain: content.length, gzipped: gzipSync(content).length });
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.error(`web: ${error.message}`);
    process.exit(75); // as in tools.sh
  }
  const files = await sizes();
  const parts = [
    ["to begin with", files.filter(({ name }) => !name.startsWith("detector"))],
    ["to find words, on demand", files.filter(({ name }) => name.startsWith("detector"))],
  ];
  for (const [part, each] of parts) {
    const total = (field) => each.reduce((sum, file) => sum + file[field], 0);
    for (const { name, plain, gzipped } of [...each, { name: part, plain: total("plain"), gzipped: total("gzipped") }]) {
      console.log(`${name.padEnd(36)}${(plain / 1000).toFixed(1).padStart(10)} KB${(gzipped / 1000).toFixed(1).padStart(10)} KB gzipped`);
    }
  }
  console.log(`The page is in ${relative(process.cwd(), out) || "."}; \`npm run serve\` shows it.`);
}
