// The golden vectors, in the browser.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PATIENCE, root, serveRepository, start } from "./browser.mjs";

let browser;
let close;
let page;

before(async () => {
  let url;
  ({ browser, url, close } = await start());
  page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await serveRepository(page);
  await page.goto(url);
  await page.addScriptTag({ type: "module", content: HELPERS });
  await page.waitForFunction("window.golden");
});
after(() => close?.());

// What the tests below need inside the page.
const HELPERS = `
  import * as scriptkd from "scriptkd";
  const folder = "/sdk/contract/golden/";
  const golden = await (await fetch(folder + "golden.json")).json();
  const blob = async (path) => (await fetch(folder + path)).blob();
  const sha256 = async (bytes) =>
    Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
  const pixels = async (vector) => {
    const image = await scriptkd.loadImage(await blob(vector.pixels));
    if (vector.channels === 3) return image;
    return { ...image, channels: 1, data: image.data.filter((_, i) => i % 3 === 0) };
  };
  Object.assign(window, { scriptkd, golden, folder, blob, sha256, pixels });
`;

test("the page is not isolated, so that wasm has one thread", async () => {
  assert.equal(await page.evaluate(() => crossOriginIsolated), false);
});

test("pre-processing is exact", async () => {
  const result = await page.evaluate(async () => {
    const wrong = [];
    let hashed = 0;
    for (const vector of golden.vectors) {
      const image = await pixels(vector);
      if ((await sha256(image.data)) !== vector.pixels_sha256) wrong.push(`${vector.name}: pixels`);
      for (const [name, expected] of Object.entries(vector.inputs)) {
        const steps = new scriptkd.Preprocessing(golden.preprocessings[name]);
        const { windows, rows, turned } = scriptkd.crops(image, steps);
        const inputs = windows.map((window) => steps.apply(window, rows));
        // An entry of format 3 has lists, one item for each window, and says what became of the crop.
        const anyCrop = steps.squareHeight !== null;
        const [hashes, ties] = anyCrop ? [expected.windows, expected.ties] : [[expected.sha256], [expected.ties]];
        if (anyCrop && (rows !== expected.rows || turned !== expected.turned)) wrong.push(`${vector.name}: ${name}, ${rows}, ${turned}`);
        if (inputs.length !== hashes.length) wrong.push(`${vector.name}: ${name}, ${inputs.length} windows`);
        for (const [i, { data, width }] of inputs.entries()) {
          for (const index of ties[i] ?? []) data[index] = 0;
          hashed++;
          if (width !== expected.width || (await sha256(data)) !== hashes[i]) wrong.push(`${vector.name}: ${name}, window ${i}`);
        }
      }
    }
    return { wrong, hashed, vectors: golden.vectors.length };
  });
  assert.deepEqual(result.wrong, []);
  assert.ok(result.vectors >= 200 && result.hashed >= 2 * result.vectors, `${result.hashed} of ${result.vectors}`);
});

const { models } = JSON.parse(await readFile(join(root, "sdk/contract/golden/golden.json")));
for (const model of Object.keys(models)) {
  test(`scores, ${model}`, async (t) => {
    const found = await page.evaluate(async (name) => {
      const entry = golden.models[name];
      const identifier = await scriptkd.ScriptIdentifier.load(`/sdk/${entry.file}`, { runtime: "ort/ort.wasm.min.mjs" });
      const rows = [];
      const started = performance.now();
      for (const vector of golden.vectors) {
        const answer = await identifier.identify(await blob(vector.pixels));
        const expected = Object.fromEntries(entry.labels.map((label, i) => [label, vector.scores[name][i]]));
        const difference = Math.max(...answer.scores.map((each) => Math.abs(each.score - expected[each.name])));
        const first = expected[answer.best] === Math.max(...vector.scores[name]);
        const row = { name: vector.name, difference, first, wayUp: null };
        rows.push(row);
        if (!(name in (vector.orientation ?? {}))) continue; // of the older formats
        const shares = Object.fromEntries(answer.shares.map((each) => [each.name, each.share]));
        const scripts = new Set([...Object.keys(shares), ...Object.keys(vector.shares[name])]);
        row.wayUp = {
          found: answer.orientation,
          expected: vector.orientation[name],
          difference: Math.abs(answer.orientationScore - vector.orientation_score[name]),
          told: (answer.orientationScore === null) === (vector.orientation_score[name] === null),
          shares: Math.max(...[...scripts].map((each) => Math.abs((shares[each] ?? 0) - (vector.shares[name][each] ?? 0)))),
        };
      }
      const milliseconds = (performance.now() - started) / rows.length;
      await identifier.close();
      return { rows, milliseconds, entry };
    }, model);
    const { tolerance, unstable } = found.entry;
    t.diagnostic(`${found.milliseconds.toFixed(1)} ms an image`);
    const stable = found.rows.filter((row) => !unstable.includes(row.name));
    const largest = Math.max(...stable.map((row) => Math.max(row.difference, row.wayUp?.difference ?? 0)));
    t.diagnostic(`${found.rows.length} vectors, ${model}: largest difference from the golden scores ${largest.toExponential(1)}`);
    assert.deepEqual(stable.filter((row) => row.difference > tolerance || !row.first), []);
    assert.deepEqual(found.rows.filter((row) => row.difference > 0.1), []);
    const ways = (rows) => rows.filter((row) => row.wayUp !== null);
    const wrong = ({ wayUp }) => wayUp.found !== wayUp.expected || !wayUp.told || wayUp.difference > tolerance || wayUp.shares > 1e-6;
    assert.deepEqual(ways(stable).filter(wrong), []);
    assert.deepEqual(ways(found.rows).filter(({ wayUp }) => wayUp.difference > 0.1), []);
  });
}

test("files of all kinds", async (t) => {
  const rows = await page.evaluate(async () => {
    const found = [];
    for (const vector of golden.vectors.filter((each) => each.file)) {
      const row = { file: vector.file, lossless: vector.lossless };
      try {
        const image = await scriptkd.loadImage(await blob(vector.file));
        const expected = await scriptkd.loadImage(await blob(vector.pixels));
        row.same = image.width === expected.width && image.height === expected.height;
        row.levels = image.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i])), 0);
      } catch (error) {
        row.error = `${error.name}: ${error.message}`;
      }
      found.push(row);
    }
    return found;
  });
  const tiffs = rows.filter((row) => row.file.endsWith(".tif"));
  assert.ok(tiffs.length > 0 && tiffs.every((row) => row.error?.startsWith("ImageError: a TIFF image")));
  const others = rows.filter((row) => !row.file.endsWith(".tif"));
  const most = (kind) => Math.max(...others.filter((row) => row.lossless === kind).map((row) => row.levels));
  t.diagnostic(`${others.length} files; lossless within ${most(true)} levels, lossy within ${most(false)}`);
  assert.deepEqual(others.filter((row) => row.error || !row.same || row.levels > (row.lossless ? 1 : 24)), []);
});

test("what must be refused is refused, in a sentence", async () => {
  const names = (await readdir(join(root, "sdk/contract/golden/refused"))).sort();
  const found = await page.evaluate(async (files) => {
    const answers = {};
    for (const file of files) {
      try {
        if (file.endsWith(".onnx")) await scriptkd.ScriptIdentifier.load(`${folder}refused/${file}`, { runtime: "ort/ort.wasm.min.mjs" });
        else await scriptkd.loadImage(await blob(`refused/${file}`));
        answers[file] = "taken";
      } catch (error) {
        answers[file] = `${error.name}: ${error.message}`;
      }
    }
    return answers;
  }, names);
  for (const [file, answer] of Object.entries(found)) {
    assert.match(answer, file.endsWith(".onnx") ? /^ModelError: .*\.onnx: [^\n]+$/ : /^ImageError: [^\n]+$/, file);
  }
});

test("wrong arguments and a missing model", async () => {
  const found = await page.evaluate(async () => {
    const { ScriptIdentifier } = scriptkd;
    const runtime = "ort/ort.wasm.min.mjs";
    const identifier = await ScriptIdentifier.load("student.onnx", { runtime, threshold: 1 });
    const gray = { data: new Uint8Array(200).fill(9), width: 20, height: 10, channels: 1 };
    const attempts = {
      missing: () => ScriptIdentifier.load("nowhere.onnx", { runtime }),
      threads: () => ScriptIdentifier.load("student.onnx", { runtime, threads: 0 }),
      threshold: () => ScriptIdentifier.load("student.onnx", { runtime, threshold: 2 }),
      nothing: () => identifier.identify(null),
      short: () => identifier.identify({ ...gray, width: 21 }),
      outside: () => identifier.identify(gray, { region: [20, 0, 41, 10] }),
      empty: () => identifier.identify(gray, { region: [5, 5, 5, 9] }),
      nan: () => identifier.identify(gray, { region: [0, 0, NaN, 9] }),
      unsure: async () => `${(await identifier.identify(gray)).script} ${(await identifier.identify(gray)).scores.length}`,
      together: async () => (await Promise.all([1, 2, 3].map(() => identifier.identify(gray)))).length,
      closed: () => identifier.close().then(() => identifier.identify(gray)),
    };
    const answers = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      answers[name] = await attempt().then(String, (error) => `${error.name}: ${error.message}`);
    }
    return answers;
  });
  assert.match(found.missing, /^ModelError: nowhere.onnx: no such model file/);
  for (const name of ["threads", "threshold"]) assert.match(found[name], /^ArgumentError: /, name);
  assert.match(found.closed, /^ClosedError: /);
  for (const name of ["nothing", "short", "outside", "empty", "nan"]) assert.match(found[name], /^ImageError: /, name);
  assert.match(found.unsure, /^unknown \d+$/);
  assert.equal(found.together, "3");
});
