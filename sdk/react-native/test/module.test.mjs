// The module in Node.js, with onnxruntime-node in place of a phone's onnxruntime and without what Hermes lacks (stand-in.mjs).
// Run in a project that has the packages installed (test.sh).

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ImageError, ModelError, ScriptIdentifier, readModelInfo } from "scriptkd-react-native";

// Not a package's: the repository that this project lies in.
const { compare, folder, golden, modelPath, readPng, root } = await import("../../sdk/web/test/vectors.mjs");

test("this is like Hermes", () => {
  for (const name of ["TextDecoder", "Blob", "createImageBitmap", "OffscreenCanvas", "document"]) assert.equal(typeof globalThis[name], "undefined", name);
});

for (const model of Object.keys(golden.models)) {
  test(`golden vectors, ${model}`, async (t) => {
    const identifier = await ScriptIdentifier.load(new Uint8Array(await readFile(modelPath(model))));
    const { wrong, largest, count } = await compare(identifier, model);
    t.diagnostic(`${count} vectors, ${model}: largest difference from the golden scores ${largest.toExponential(1)}`);
    assert.ok(count >= 200);
    assert.deepEqual(wrong, []);
    await identifier.close();
  });
}

for (const name of ["student", "world", "upright", "world-upright"]) {
  test(`the model ${name} as a module`, async () => {
    const { default: bytes } = await import(`scriptkd-react-native/models/${name}`);
    assert.deepEqual(Buffer.from(bytes), await readFile(join(root, "sdk/scriptkd_sdk/models", `${name}.onnx`)));
    assert.ok(readModelInfo(bytes).labels.length >= 10);
  });
}

test("options and errors", async () => {
  const { default: student } = await import("scriptkd-react-native/models/student");
  const identifier = await ScriptIdentifier.load(student, { threshold: 0 });
  const image = readPng(join(folder, golden.vectors[0].pixels));
  const { width, height } = image;
  const answer = await identifier.identify(image, { allow: ["Tamil", "Latn"], region: [[0, 0], [width, 0], [width, height], [0, height]] });
  assert.deepEqual(answer.scores.map(({ name }) => name).sort(), ["Latin", "Tamil"]);
  await assert.rejects(identifier.identify({ uri: "file:///photo.jpg", width: 30, height: 40 }), (error) => {
    return error instanceof ImageError && error.message.endsWith("decode it first and give { data, width, height, channels }");
  });
  await assert.rejects(ScriptIdentifier.load(student.subarray(1000)), ModelError);
  await identifier.close();
});
