// Format 3 in the browser, with two tiny models (models.py): any way up, lines, whole images; and transparent pictures.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PATIENCE, serveRepository, start } from "./browser.mjs";

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
  await page.waitForFunction("window.helpers");
});
after(() => close?.());

// What the tests below need inside the page.
const HELPERS = `
  import * as scriptkd from "scriptkd";
  const options = { runtime: "ort/ort.wasm.min.mjs" };
  const bytes = async (name) => new Uint8Array(await (await fetch("/sdk/web/test/models/" + name)).arrayBuffer());
  const load = async (name) => scriptkd.ScriptIdentifier.load(await bytes(name), options);

  /** A gray picture of one level, whose upper tenth is black. Its levels change, so that none of it is a plain margin. */
  const word = (height, width, level = 120) => {
    const data = Uint8Array.from({ length: height * width }, (_, i) =>
      i < width * Math.ceil(height / 10) ? (i * 29) % 50 : level + ((i * 37) % 61) - 30);
    return { data, width, height, channels: 1 };
  };
  const clockwise = ({ data, width, height }) => ({
    data: Uint8Array.from(data, (_, i) => data[(height - 1 - (i % height)) * width + Math.floor(i / height)]),
    width: height, height: width, channels: 1,
  });
  const turned = (image, degrees) => (degrees === 0 ? image : turned(clockwise(image), degrees - 90));
  const beside = (one, other) => {
    const width = one.width + other.width;
    const at = (y, x) => (x < one.width ? one.data[y * one.width + x] : other.data[y * other.width + x - one.width]);
    const data = Uint8Array.from({ length: width * one.height }, (_, i) => at(Math.floor(i / width), i % width));
    return { data, width, height: one.height, channels: 1 };
  };
  const attempt = (promise) => promise.then(String, (error) => error.name + ": " + error.message);

  /** A model file in which texts are replaced by others of the same length. */
  const edited = async (name, ...changes) => {
    let text = Array.from(await bytes(name), (byte) => String.fromCharCode(byte)).join("");
    for (const [from, to] of changes) {
      if (!text.includes(from) || from.length !== to.length) throw new Error(from);
      text = text.replaceAll(from, to);
    }
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  };
  Object.assign(window, { scriptkd, options, load, word, turned, beside, attempt, edited, helpers: true });
`;

test("the way up is told clockwise, of tall, near-square and lying crops", async () => {
  const rows = await page.evaluate(async () => {
    const identifier = await load("any-crop.onnx");
    const found = [];
    for (const [height, width] of [[20, 60], [20, 22], [20, 29]]) {
      for (const degrees of [0, 90, 180, 270]) {
        const { best, orientation, orientationScore } = await identifier.identify(turned(word(height, width), degrees));
        found.push({ degrees, best, orientation, sure: orientationScore > 0.6 && orientationScore <= 1 });
      }
    }
    return found;
  });
  assert.deepEqual(rows, rows.map(({ degrees }) => ({ degrees, best: "Latin", orientation: degrees, sure: true })));
});

test("letters one below the other stand upright; no telling; a margin; a caller who knows", async () => {
  const found = await page.evaluate(async () => {
    const identifier = await load("any-crop.onnx");
    const way = async (...rest) => {
      const { orientation, orientationScore } = await identifier.identify(...rest);
      return [orientation, orientationScore];
    };
    const same = { ...word(40, 40), data: Uint8Array.from({ length: 1600 }, (_, i) => 100 + ((i * 37) % 41)) };
    const page = { data: new Uint8Array(200 * 300).fill(255), width: 300, height: 200, channels: 1 };
    const inked = word(20, 60);
    for (let y = 0; y < 20; y++) page.data.set(inked.data.subarray(y * 60, (y + 1) * 60), (90 + y) * 300 + 100);
    return {
      stacked: (await way(word(60, 20)))[0],
      same: await way(same),
      loose: [(await way(page))[0], (await identifier.identify(page)).best],
      known: await way(turned(word(20, 60), 180), { upright: true }),
      wrong: await attempt(identifier.identify(inked, { upright: 1 })),
    };
  });
  assert.equal(found.stacked, 0);
  assert.equal(found.same[0], null);
  assert.ok(found.same[1] > 0.2 && found.same[1] < 0.6);
  assert.deepEqual(found.loose, [0, "Latin"]);
  assert.deepEqual(found.known, [0, 1]);
  assert.equal(found.wrong, "ArgumentError: upright must be true or false, not 1");
});

test("a line of two scripts has shares", async () => {
  const found = await page.evaluate(async () => {
    const line = beside(word(20, 240, 120), word(20, 80, 200));
    const answers = [];
    for (const threshold of [0, 1]) {
      const identifier = await scriptkd.ScriptIdentifier.load(await edited("any-crop.onnx"), { ...options, threshold });
      answers.push(await identifier.identify(line));
    }
    const one = await (await load("any-crop.onnx")).identify(word(20, 60));
    return { answers, one };
  });
  const [sure, unsure] = found.answers;
  assert.deepEqual(sure.shares, [{ name: "Latin", code: "Latn", share: 0.75 }, { name: "Tamil", code: "Taml", share: 0.25 }]);
  assert.equal(sure.best, "Latin");
  assert.ok(Math.abs(sure.score - 0.75) < 0.02, `${sure.score}, the mean over four windows`);
  assert.ok(Math.abs(sure.scores.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-9);
  assert.deepEqual([unsure.script, unsure.shares], ["unknown", [{ name: "unknown", code: "Zyyy", share: 1 }]]);
  assert.deepEqual(found.one.shares, [{ name: "Latin", code: "Latn", share: 1 }]);
});

test("a file that takes whole images answers for each of its windows", async () => {
  const found = await page.evaluate(async () => {
    const identifier = await load("any-size.onnx");
    const flat = (width, level) => ({ data: new Uint8Array(20 * width).fill(level), width, height: 20, channels: 1 });
    return {
      mixed: await identifier.identify(beside(flat(200, 30), flat(100, 200))),
      dark: await identifier.identify(flat(50, 30)),
      upright: await attempt(identifier.identify(flat(50, 30), { upright: true })),
    };
  });
  assert.deepEqual(found.mixed.shares.map(({ name, share }) => [name, share]), [["Arabic", 2 / 3], ["Tamil", 1 / 3]]);
  const told = (light) => [0, 0, (128 - light) / 20, 0].map(Math.exp);
  const part = (light) => told(light)[2] / told(light).reduce((sum, each) => sum + each);
  assert.ok(Math.abs(found.mixed.orientationScore - (2 * part(30) + part(200)) / 3) < 1e-6);
  assert.equal(found.mixed.orientation, 180);
  assert.deepEqual([found.dark.best, found.dark.orientation], ["Arabic", 180]);
  assert.match(found.upright, /^ArgumentError: this model turns tall crops inside its graph/);
});

test("older formats tell no orientation, and take a crop as upright", async () => {
  const found = await page.evaluate(async () => {
    const older = await edited("any-crop.onnx", ['"format": 3', '"format": 1'], [', "square_height": 12', "                     "]);
    const identifier = await scriptkd.ScriptIdentifier.load(older, options);
    return identifier.identify(word(20, 60), { upright: true });
  });
  assert.deepEqual([found.orientation, found.orientationScore], [null, null]);
  assert.deepEqual(found.shares.map(({ name, share }) => [name, share]), [[found.script, 1]]);
});

test("metadata and networks that do not fit are refused in a sentence", async () => {
  const found = await page.evaluate(async () => {
    const cases = {
      temperature: ["any-crop.onnx", ['"orientation_temperature": 1.0', '"orientation_temperature": 0.0']],
      threshold: ["any-crop.onnx", ['"orientation_threshold": 0.6', '"orientation_threshold": 7.6']],
      missing: ["any-crop.onnx", ['"orientation_threshold"', '"orientation_thresholt"']],
      older: ["any-crop.onnx", ['"format": 3', '"format": 2']],
      square: ["any-crop.onnx", [', "square_height": 12', "                     "]],
      unknown: ["any-crop.onnx", ["square_height", "square_weight"]],
      impossible: ["any-crop.onnx", ['"square_height": 12', '"square_height": -2']],
      newer: ["any-crop.onnx", ['"format": 3', '"format": 4']],
      output: ["any-crop.onnx", ["\x0borientation", "\x0bintegration"]],
      windows: ["any-size.onnx", ['"width_max": 96', '"width_max": 16']],
      unprintable: ["any-crop.onnx", ['"name": "Arabic"', '"name": "\\u0007"']],
      provenance: ["any-crop.onnx", ['"provenance": {}', '"provenance": 10']],
    };
    const sentences = {};
    for (const [name, [file, change]] of Object.entries(cases)) {
      sentences[name] = await attempt(scriptkd.ScriptIdentifier.load(await edited(file, change), options));
    }
    return sentences;
  });
  const expected = {
    temperature: "its orientation_temperature must lie in 0.001..1000, not 0",
    threshold: "its orientation_threshold must lie in 0..1, not 7.6",
    missing: "its orientation_threshold must be a number, not undefined",
    older: "its pre-processing must have square_height from format 3 on, not before; its is 2",
    square: "its pre-processing must have square_height from format 3 on, not before; its is 3",
    unknown: "pre-processing must have exactly the fields channels, height, width_min, width_max, width_step, square_height, not ",
    impossible: "pre-processing: square_height must be an integer from 1 to 4096, not -2",
    newer: "its format is 4, but this scriptkd reads formats up to 3: update scriptkd",
    output: "the network must have the one input 'image' and the output 'logits' and 'orientation', not image and logits,integration",
    windows: "the metadata has 3 labels, but the network answers 5 blank images with float32 of shape [1,3], not float32 of shape [5,3]",
    unprintable: "the name and the code of each of its labels must be printable, not ",
    provenance: "its provenance must be an object, not 10",
  };
  for (const [name, sentence] of Object.entries(expected)) {
    assert.ok(found[name].startsWith(`ModelError: the model: ${sentence}`), `${name}: ${found[name]}`);
  }
});

test("a worker answers as the page's own thread does, for all kinds of images, regions and errors", async () => {
  const found = await page.evaluate(async () => {
    const file = await (await fetch("/samples/tamil-1.jpg")).blob();
    const bitmap = await createImageBitmap(file);
    const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const img = Object.assign(new Image(), { src: URL.createObjectURL(file) });
    await img.decode();
    const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const large = new Uint8Array(data.data.length + 1000);
    large.set(data.data, 500);
    const pixels = { data: large.subarray(500, -500), width: data.width, height: data.height, channels: 4 };
    const images = [file, bitmap, canvas, img, data, pixels, { ...pixels, channels: 2 }, new Image(), null, "word.png"];
    const regions = [[2, 2, 40, 30], [[2, 2], [40, 4], [40, 30], [3, 28]], [900, 0, 990, 9], "abcd", [0, 0, 1, 1]];
    const said = (answers) => answers.map((each) => (each instanceof Error ? `${each.name}: ${each.message}` : each));
    const rows = [];
    for (const worker of [true, false]) {
      const identifier = await scriptkd.ScriptIdentifier.load("student.onnx", { ...options, worker });
      rows.push({
        images: said(await identifier.identifyBatch(images)),
        regions: said(await identifier.identifyRegions(file, new Set(regions), { allow: ["Tamil", "Latn"] })),
        wrong: [
          await attempt(identifier.identify(file, { allow: ["Klingon"] })),
          await attempt(identifier.identify(file, { threshold: 7 })),
          await attempt(identifier.identifyRegions(null, [])),
          await attempt(identifier.identifyRegions(file, [1, 2, 3, 4])),
          await attempt(identifier.identifyBatch(file)),
        ],
        detached: bitmap.width === 0 || pixels.data.length === 0,
      });
      rows.at(-1).odd = await attempt(identifier.identify(file, { allow: () => {} }));
      await identifier.close();
    }
    return rows;
  });
  const [far, near] = found;
  assert.match(far.odd, /^ArgumentError: an argument cannot be sent to the worker/);
  assert.match(near.odd, /^ArgumentError: allow must be a list/);
  assert.deepEqual({ ...far, odd: null }, { ...near, odd: null });
  assert.deepEqual(far.images.slice(0, 6).map((each) => each.script), Array(6).fill("Tamil"));
  assert.deepEqual(far.images.slice(6).map((each) => each.slice(0, 19)), [6, 7, 8, 9].map((i) => `ImageError: image ${i}`));
  assert.deepEqual(far.regions.map((each) => typeof each), ["object", "object", "string", "string", "string"]);
  assert.match(far.regions[2], /^ImageError: region 2: the region \(900, 0, 990, 9\) is outside the image/);
  assert.equal(far.detached, false, "what is asked about stays the caller's");
});

test("a photo leaves the page's thread alone", async (t) => {
  const found = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(4000, 3000);
    const context = canvas.getContext("2d");
    for (let i = 0; i < 3000; i++) {
      context.fillStyle = `hsl(${i % 360} 50% ${20 + (i % 60)}%)`;
      context.fillRect((i * 977) % 4000, (i * 613) % 3000, 90, 40);
    }
    const photo = await canvas.convertToBlob({ type: "image/jpeg" });
    const longest = {};
    for (const worker of [true, false]) {
      const identifier = await scriptkd.ScriptIdentifier.load("student.onnx", { ...options, worker });
      let busy = 0; // milliseconds of tasks of more than 50
      const observer = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (busy += duration)));
      observer.observe({ type: "longtask" });
      await identifier.identify(photo);
      await new Promise((resolve) => setTimeout(resolve, 300)); // entries come late
      observer.disconnect();
      longest[worker] = busy;
      await identifier.close();
    }
    return longest;
  });
  t.diagnostic(`12 megapixels: the page's thread is blocked for ${found.true.toFixed(0)} ms, without a worker for ${found.false.toFixed(0)} ms`);
  assert.ok(found.false > 50 && found.true < found.false / 4, JSON.stringify(found));
});

test("transparent files are laid on what shows their ink, also by regions", async () => {
  const found = await page.evaluate(async () => {
    const drawn = async (colour, alpha = 1) => {
      const canvas = new OffscreenCanvas(120, 40);
      const context = canvas.getContext("2d");
      context.fillStyle = colour;
      context.globalAlpha = alpha;
      for (let x = 10; x < 110; x += 10) context.fillRect(x, 10, 3, 20);
      return { canvas, file: await canvas.convertToBlob() };
    };
    const seen = ({ data, width }) => [data[0], data[3 * (15 * width + 11)]];
    const white = await drawn("white");
    const dark = await drawn("#202020");
    return {
      white: seen(await scriptkd.loadImage(white.file)),
      canvas: seen(await scriptkd.loadImage(white.canvas)),
      dark: seen(await scriptkd.loadImage(dark.file)),
      region: seen(await scriptkd.loadImage(white.file, [-5, 0, 40, 40])),
      empty: seen(await scriptkd.loadImage(white.file, [13, 2, 18, 38])).slice(0, 1), // of this region all is transparent
      outside: await attempt(scriptkd.loadImage(white.file, [120, 0, 140, 40])),
      nothing: await attempt(drawn("white", 0).then(({ file }) => scriptkd.loadImage(file))),
    };
  });
  assert.deepEqual(found.white, [0, 255]);
  assert.deepEqual(found.canvas, [0, 255]);
  assert.deepEqual(found.dark, [255, 32]);
  assert.deepEqual(found.region, [0, 255]);
  assert.deepEqual(found.empty, [0]);
  assert.equal(found.outside, "ImageError: the region (120, 0, 140, 40) is outside the image of 120x40 pixels");
  assert.match(found.nothing, /^ImageError: all of it is transparent/);
});
