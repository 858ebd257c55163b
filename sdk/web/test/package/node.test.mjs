// The package in Node.js, with onnxruntime-web and with onnxruntime-node. Run in a project that has it installed.

process.env.ORT_DISABLE_TELEMETRY = "1"; // before onnxruntime-node is loaded

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ImageError, ScriptIdentifier, bundledModels } from "scriptkd";
import * as core from "scriptkd/core";

// Not a package's: the repository that this project lies in.
const { compare, folder, golden, modelPath, readPng, root } = await import("../../sdk/web/test/vectors.mjs");
const native = await import("onnxruntime-node");

for (const [runtimeName, runtime] of [["onnxruntime-web", undefined], ["onnxruntime-node", native]]) {
  for (const model of Object.keys(golden.models)) {
    test(`golden vectors, ${runtimeName}, ${model}`, async (t) => {
      const identifier = await ScriptIdentifier.load(modelPath(model), { runtime });
      const { wrong, largest, count } = await compare(identifier, model);
      t.diagnostic(`${count} vectors, ${model} by ${runtimeName}: largest difference from the golden scores ${largest.toExponential(1)}`);
      assert.ok(count >= 200);
      assert.deepEqual(wrong, []);
      await identifier.close();
    });
  }
}

test("the package has its models and the licence", async () => {
  for (const [name, address] of Object.entries(bundledModels)) {
    const file = `${name.replace("Upright", "-upright")}.onnx`;
    assert.deepEqual(await readFile(address), await readFile(join(root, "sdk/scriptkd_sdk/models", file)), name);
    const identifier = await ScriptIdentifier.load(address, { runtime: native });
    assert.ok(identifier.labels.length >= 10);
    await identifier.close();
  }
  for (const name of ["LICENSE", "NOTICE"]) {
    assert.deepEqual(await readFile(join("node_modules/scriptkd", name)), await readFile(join(root, name)));
  }
});

test("types and code have the same names, and models have addresses", async () => {
  const all = await import("scriptkd");
  const declared = async (file) => {
    const text = await readFile(join("node_modules/scriptkd/src", file), "utf8");
    return [...text.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  };
  const [base, more] = [await declared("core.d.ts"), await declared("index.d.ts")];
  assert.deepEqual(base.toSorted(), Object.keys(core).toSorted());
  assert.deepEqual([...new Set([...base, ...more])].toSorted(), Object.keys(all).toSorted());
  assert.equal(import.meta.resolve("scriptkd/models/world.onnx"), all.bundledModels.world.href);
});

const attempt = (promise) => promise.then(String, (error) => `${error.name}: ${error.message}`);

test("a failed runtime is not a broken model", async () => {
  const bytes = await readFile(bundledModels.student);
  const broken = new Uint8Array(Buffer.from(bytes.toString("latin1").replaceAll("Conv", "Xonv"), "latin1")); // the metadata stays
  const stopped = { ...native, InferenceSession: { create: () => Promise.reject(new Error("no available backend found")) } };
  let opening = true; // on blank images it runs
  const failing = {
    ...native,
    InferenceSession: {
      async create(...args) {
        const session = await native.InferenceSession.create(...args);
        const run = (...more) => (opening ? session.run(...more) : Promise.reject(new Error("out of memory\nat x")));
        return { inputNames: session.inputNames, outputNames: session.outputNames, release: () => session.release(), run };
      },
    },
  };
  const identifier = await ScriptIdentifier.load(bytes, { runtime: failing });
  opening = false;
  const image = readPng(join(folder, golden.vectors[0].pixels));
  const found = {
    stopped: await attempt(ScriptIdentifier.load(bytes, { runtime: stopped })),
    stoppedAndBroken: await attempt(ScriptIdentifier.load(broken, { runtime: stopped })),
    broken: await attempt(ScriptIdentifier.load(broken, { runtime: native })),
    brokenOnWeb: await attempt(ScriptIdentifier.load(broken)),
    absent: await attempt(ScriptIdentifier.load(bytes, { runtime: "onnxruntime-nowhere" })),
    none: await attempt(ScriptIdentifier.load(bytes, { runtime: {} })),
    core: await attempt(core.ScriptIdentifier.load(bytes)),
    failing: await attempt(identifier.identify(image)),
    missing: await attempt(ScriptIdentifier.load("nowhere.onnx")),
  };
  assert.equal(found.stopped, "RuntimeError: onnxruntime does not start (no available backend found)");
  assert.equal(found.stoppedAndBroken, found.stopped);
  for (const name of ["broken", "brokenOnWeb"]) assert.match(found[name], /^ModelError: the model: not an ONNX file that onnxruntime can load \([^\n]+$/);
  assert.match(found.absent, /^RuntimeError: onnxruntime cannot be loaded \(Cannot find package 'onnxruntime-nowhere'/);
  for (const name of ["none", "core"]) assert.match(found[name], /^ArgumentError: runtime must be an onnxruntime module/);
  assert.equal(found.failing, "RuntimeError: onnxruntime failed on this image (out of memory)");
  assert.match(found.missing, /^ModelError: nowhere\.onnx: no such model file/);
});

test("Node.js has no decoder, and says so; pixels are taken", async () => {
  const identifier = await ScriptIdentifier.load(bundledModels.student, { runtime: native });
  const jpeg = new Blob([await readFile(join(root, "samples/kannada-0.jpg"))]);
  const sentence = "ImageError: Node.js has no image decoder: decode it first and give { data, width, height, channels }";
  assert.equal(await attempt(identifier.identify(jpeg)), sentence);
  assert.equal(await attempt(identifier.identify(new Blob([]))), "ImageError: empty: no bytes at all");
  const answers = await identifier.identifyBatch([jpeg, readPng(join(folder, golden.vectors[0].pixels))]);
  assert.ok(answers[0] instanceof ImageError);
  assert.equal(answers[0].message, `image 0: ${sentence.slice("ImageError: ".length)}`);
  assert.equal(answers[1].scores.length, identifier.labels.length);
});

test("closing", async () => {
  const identifier = await ScriptIdentifier.load(bundledModels.student, { runtime: native });
  const image = readPng(join(folder, golden.vectors[0].pixels));
  const running = identifier.identify(image);
  await identifier.close();
  await identifier.close();
  assert.ok((await running).score > 0);
  assert.equal(await attempt(identifier.identify(image)), "ClosedError: this identifier has been closed; load a new one");
});
