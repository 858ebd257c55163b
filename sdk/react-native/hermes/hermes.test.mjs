// The core in Hermes, React Native's engine, compared with Node.js. Run in a project that has what package.json names and
// scriptkd (test-hermes.sh). Hermes 0.12 is the newest that comes as a program; Babel makes it the older JavaScript that it knows.

import babel from "@babel/core";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import vm from "node:vm";
import { rolldown } from "rolldown";

// Not a package's: the repository that this project lies in.
const { folder, golden, modelPath, readPng } = await import("../../sdk/web/test/vectors.mjs");

test("metadata is read and images are prepared as in Node.js", async () => {
  const bundle = await rolldown({ input: "entry.js" });
  const { output } = await bundle.generate({ format: "iife" });
  const { code } = await babel.transformAsync(output[0].code, { configFile: false, presets: [["@babel/preset-env", { targets: { ie: "11" }, modules: false }]] });
  const images = golden.vectors
    .filter((_, i) => i % 4 === 0) // without a compiler all take long
    .map(({ name, pixels }) => ({ name, ...readPng(join(folder, pixels)) }))
    .map((image) => ({ ...image, data: Buffer.from(image.data).toString("hex") }));
  const given = { model: readFileSync(modelPath("int8")).toString("hex"), images, preprocessings: Object.values(golden.preprocessings) };
  const program = `var given = ${JSON.stringify(given)};\n${code}`;

  const expected = [];
  vm.runInNewContext(program, { print: (text) => expected.push(text) });
  writeFileSync("program.js", program);
  const found = execFileSync("node_modules/hermes-engine-cli/linux64-bin/hermes", ["program.js"], { encoding: "utf8" }).trim().split("\n");
  assert.equal(found[0], "undefined", "Hermes has no TextDecoder");
  assert.deepEqual(found.slice(1), expected.slice(1));
  assert.ok(found.length > 200);
  assert.equal(found[2], "true ModelError: not an ONNX file");
});
