// The golden boxes of sdk/contract/golden/words, and what a detector sees; no browser and no detector needed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { boxes } from "../src/boxes.js";
import { Detector, detectorInput } from "../src/detector.js";
import { folder, readPng, root } from "./vectors.mjs";

const golden = JSON.parse(readFileSync(join(folder, "words", "words.json")));

for (const { name, map, width, height, boxes: expected } of golden.maps) {
  test(`boxes of the map ${name}`, () => {
    const picture = readPng(join(folder, "words", map));
    const found = boxes({ ...picture, data: Float32Array.from(picture.data, (level) => level / 255) }, width, height);
    assert.equal(found.length, expected.length);
    found.forEach(({ corners, score }, i) => {
      assert.ok(Math.abs(score - expected[i].score) < 1e-6, `${i}: score ${score}, not ${expected[i].score}`);
      corners.flat().forEach((value, k) => {
        assert.ok(Math.abs(value - expected[i].corners.flat()[k]) < 1e-3, `${i}: ${corners}, not ${expected[i].corners}`);
      });
    });
  });
}

test("there are at least twenty maps, with boxes, without any and with more than are taken", () => {
  assert.ok(golden.maps.length >= 20);
  const counts = golden.maps.map((each) => each.boxes.length);
  assert.ok(counts.includes(0) && counts.includes(1) && counts.includes(1000));
});

test("the input's size for a picture", () => {
  for (const [width, height, ...expected] of golden.sizes) {
    if (width * height > 2e6) continue; // the rule is the same, the resampling takes long
    const input = detectorInput({ data: new Uint8Array(width * height), width, height, channels: 1 });
    assert.deepEqual([input.width, input.height], expected);
  }
});

for (const { pixels, width, height, levels } of golden.inputs) {
  test(`the input of ${pixels}`, () => {
    const input = detectorInput(readPng(join(folder, pixels)));
    assert.deepEqual([input.width, input.height], [width, height]);
    levels.forEach((level, i) => assert.ok(Math.abs(input.data[1009 * i] - level) <= 0.51, `byte ${1009 * i}`));
  });
}

test("a script has the colour that `scriptkd page` gives it", async () => {
  const { COLOURS } = await import("../page/colours.js");
  const picture = readFileSync(join(root, "sdk/scriptkd_page/picture.py"), "utf8");
  const known = Object.fromEntries([...picture.matchAll(/"(\w{4})": 0x(\w{6})/g)].map(([, code, colour]) => [code, `#${colour.toLowerCase()}`]));
  assert.equal(Object.keys(known).length, 26);
  assert.deepEqual(COLOURS, known);
});

// An onnxruntime whose network answers with a map of our own; what is tested is what lies around it.
const standIn = (map, type = "float32") => ({
  Tensor: class {
    constructor(kind, data, dims) {
      Object.assign(this, { type: kind, data, dims });
    }
  },
  InferenceSession: {
    create: async () => ({
      inputNames: ["x"],
      outputNames: ["map"],
      run: async ({ x }) => ({ map: { type, dims: [1, 1, ...x.dims.slice(2)], data: map(x) } }),
      release: async () => {},
    }),
  },
});

test("a detector sees B, G, R from -1 to 1, and its boxes are in the picture's pixels", async () => {
  const seen = [];
  const map = (x) => {
    seen.push(x);
    const [, , height, width] = x.dims;
    return Float32Array.from({ length: width * height }, (_, i) => (i % width >= 100 && i % width < 300 && i >= 50 * width && i < 90 * width ? 1 : 0));
  };
  const detector = await Detector.open(standIn(map), new Uint8Array(1), 1);
  const data = Uint8Array.from({ length: 3 * 1280 * 480 }, (_, i) => [255, 128, 0][i % 3]);
  const [box, ...others] = await detector.detect({ data, width: 1280, height: 480, channels: 3 });
  const { dims, data: input } = seen.at(-1);
  assert.deepEqual(dims, [1, 3, 256, 640]); // 240 is no multiple of 32, and halves go up
  const plane = 256 * 640;
  assert.deepEqual([input[0], input[2 * plane]], [-1, 1]);
  assert.ok(Math.abs(input[plane] - (128 / 127.5 - 1)) < 1e-6);
  assert.deepEqual(others, []);
  assert.equal(box.score, 1);
  const grown = (1.6 * 200 * 40) / (2 * 240);
  const [x, y] = [2, 480 / 256];
  const expected = [[100 - grown, 50 - grown], [300 + grown, 50 - grown], [300 + grown, 90 + grown], [100 - grown, 90 + grown]];
  box.corners.forEach((corner, i) => corner.forEach((value, axis) => assert.ok(Math.abs(value - expected[i][axis] * [x, y][axis]) < 1e-9)));
});

test("a network that answers with no map is refused", async () => {
  const other = standIn(() => new BigInt64Array(1), "int64");
  await assert.rejects(Detector.open(other, new Uint8Array(1), 1), { name: "ModelError", message: /^not a text detector of PP-OCR's kind \(its map is int64/ });
});
