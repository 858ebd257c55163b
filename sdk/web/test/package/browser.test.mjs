// The package in a browser: built by Vite, from Vite's development server, and in a page without a bundler. The project that
// has it installed is build/web-package (test-package.sh).

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { serve } from "../../serve.mjs";
import { PATIENCE, launch, root } from "../browser.mjs";

const project = join(root, "build", "web-package");
const IMAGES = { "word.jpg": "samples/tamil-1.jpg" };
const vite = await import(pathToFileURL(join(project, "node_modules/vite/dist/node/index.js")));

let browser;
const closing = [];

before(async () => {
  for (const [name, from] of Object.entries(IMAGES)) await copyFile(join(root, from), join(project, "public", name));
  browser = await launch();
  closing.push(() => browser.close());
});
after(async () => {
  for (const close of closing.reverse()) await close();
});

/** A page on which nothing may go wrong but what a test wants: `{ page, problems }`. */
async function open(address) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(address);
  await page.waitForFunction("window.identify");
  return { page, problems };
}

/** Asks for a sample in a worker and on the page's thread. */
async function checkSample({ page, problems }) {
  for (const [options, workers] of [[{}, 1], [{ worker: false }, 0]]) {
    let started = 0;
    const count = () => started++;
    page.on("worker", count);
    const answer = await page.evaluate((given) => identify("word.jpg", given), options);
    page.off("worker", count);
    assert.equal(answer.script, "Tamil");
    assert.ok(answer.score > 0.9);
    assert.equal(started, workers);
  }
  assert.deepEqual(page.workers(), [], "a closed identifier leaves no worker");
  assert.deepEqual(problems, []);
}

test("a page built by Vite", async () => {
  await vite.build({ root: project, logLevel: "error" });
  const server = await serve(join(project, "dist"));
  closing.push(() => server.close());
  await checkSample(await open(server.url));
});

test("Vite's development server, without any configuration", async () => {
  const server = await vite.createServer({ root: project, logLevel: "error", server: { port: 0 } });
  closing.push(() => server.close());
  await server.listen();
  await checkSample(await open(server.resolvedUrls.local[0]));
});

test("a page without a bundler: its errors too", async () => {
  const server = await serve(project);
  closing.push(() => server.close());
  await copyFile(join(root, IMAGES["word.jpg"]), join(project, "word.jpg"));
  await checkSample(await open(`${server.url}plain.html`));
  const { page } = await open(`${server.url}plain.html`); // anew, as a page's onnxruntime starts once
  const found = await page.evaluate(async () => {
    const { ScriptIdentifier, bundledModels } = scriptkd;
    const attempt = (model, options) => ScriptIdentifier.load(model, options).then(() => "loaded", (error) => `${error.name}: ${error.message}`);
    const bytes = new Uint8Array(await (await fetch(bundledModels.student)).arrayBuffer());
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("").replaceAll("Conv", "Xonv");
    const broken = Uint8Array.from(text, (character) => character.charCodeAt(0)); // the metadata stays
    return {
      wasmHere: await attempt(bytes, { runtime, wasmPaths: "nowhere/", worker: false }),
      broken: await attempt(broken, { runtime }),
      bundler: await attempt(bytes, {}),
      absent: await attempt(bytes, { runtime: "nowhere.mjs" }),
      wasm: await attempt(bytes, { runtime, wasmPaths: "nowhere/" }),
      module: await attempt(bytes, { runtime: await import(new URL(runtime, location.href)), worker: true }),
      page: await attempt("plain.html", { runtime }),
    };
  });
  assert.match(found.broken, /^ModelError: the model: not an ONNX file that onnxruntime can load \(/);
  assert.match(found.bundler, /^RuntimeError: scriptkd's worker does not start .*gives runtime, the address of onnxruntime's module/);
  assert.match(found.absent, /^RuntimeError: onnxruntime cannot be loaded \(/);
  for (const name of ["wasm", "wasmHere"]) assert.match(found[name], /^RuntimeError: onnxruntime does not start \(no available backend found/);
  assert.match(found.module, /^ArgumentError: a runtime's module cannot go to a worker/);
  assert.equal(found.page, "ModelError: plain.html: no such model file (the server answers with a web page)");
});
