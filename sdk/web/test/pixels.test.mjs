// Without a browser: section 2 of the contract, transparency, regions, kinds of files, choices of scripts.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { crops } from "../src/crop.js";
import { decide } from "../src/decision.js";
import { loadImage } from "../src/image.js";
import { readModelInfo } from "../src/modelfile.js";
import { Preprocessing } from "../src/preprocess.js";
import { allowed } from "../src/scripts.js";
import { BLACK, WHITE, ground } from "../src/transparency.js";

const FIELDS = { channels: 1, height: 48, width_min: 48, width_max: 384, width_step: 24 };
const ANY_CROP = new Preprocessing({ ...FIELDS, square_height: 72 });

/** A gray image whose levels a function of row and column gives. */
function gray(height, width, level) {
  const data = Uint8Array.from({ length: height * width }, (_, i) => level(Math.floor(i / width), i % width));
  return { data, width, height, channels: 1 };
}

/** A generator of whole numbers from 0 up to a limit, the same in every run. */
function numbers(seed) {
  return (limit) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
}

/** Without margins: its levels are all over the place. */
function textured(height, width) {
  const next = numbers(height * 1000 + width);
  return gray(height, width, () => next(256));
}

/** A plain ground with a chequered block on it, 20 rows of 30 pixels. */
function onGround(height, width, top, left, level = 200) {
  const within = (y, x) => y >= top && y < top + 20 && x >= left && x < left + 30;
  return gray(height, width, (y, x) => (within(y, x) ? ((y - top + x - left) % 2) * level : level));
}

const size = ({ height, width }) => [height, width];
const only = (image, ...rest) => {
  const { windows } = crops(image, ANY_CROP, ...rest);
  assert.equal(windows.length, 1);
  return windows[0];
};

test("a plain margin goes but for a rim, which ends with the picture", () => {
  const crop = only(onGround(100, 150, 40, 60));
  assert.deepEqual(size(crop), [22, 32]); // 20 x 30 of ink, and a rim of one pixel, 20 div 16
  const expected = gray(22, 32, (y, x) => (y > 0 && y < 21 && x > 0 && x < 31 ? ((y + x) % 2) * 200 : 200));
  assert.deepEqual(crop.data, expected.data);
  assert.deepEqual(size(only(onGround(100, 30, 80, 0))), [21, 30]);
});

test("noise is plain, but faint ink alone is kept, and so are two plain halves", () => {
  const next = numbers(7);
  const noisy = onGround(100, 150, 40, 60);
  noisy.data.forEach((level, i) => (noisy.data[i] = Math.min(Math.max(level + next(13) - 6, 0), 255)));
  assert.deepEqual(size(only(noisy)), [22, 32]);
  assert.deepEqual(size(only(onGround(60, 80, 30, 40, 24))), [60, 80]);
  assert.deepEqual(size(only(onGround(60, 80, 30, 40, 25))), [22, 32]);
  assert.deepEqual(size(only(gray(40, 60, (y) => (y < 20 ? 200 : 90)))), [40, 60]);
});

test("each side has a ground of its own, and colours are trimmed by their luma", () => {
  const image = onGround(100, 150, 40, 60);
  image.data.fill(90, 60 * 150);
  assert.deepEqual(size(only(image)), [22, 32]);
  const colour = { ...image, channels: 3, data: Uint8Array.from({ length: 45_000 }, (_, i) => image.data[Math.floor(i / 3)]) };
  assert.deepEqual(only(colour).data, only(image).data);
  const coloured = new Preprocessing({ ...FIELDS, channels: 3, square_height: 72 });
  const [crop] = crops(colour, coloured).windows;
  assert.deepEqual([crop.channels, ...size(crop)], [3, 22, 32]);
});

test("a crop half as high again as wide is laid down, unless it is upright", () => {
  for (const [height, width, turned] of [[30, 20, 90], [29, 20, 0], [20, 20, 0], [300, 20, 90]]) {
    const image = textured(height, width);
    const found = crops(image, ANY_CROP);
    assert.equal(found.turned, turned);
    if (turned) {
      const [crop] = found.windows;
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < 20; j++) assert.equal(crop.data[i * crop.width + j], image.data[j * width + width - 1 - i]);
      }
    }
    assert.equal(crops(image, ANY_CROP, true).turned, 0);
    assert.deepEqual(only(image, true).data, image.data);
  }
});

test("near-square crops have rows of their own", () => {
  for (const [width, rows] of [[14, 72], [20, 72], [29, 72], [30, 48], [60, 48]]) {
    const found = crops(textured(20, width), ANY_CROP);
    assert.equal(found.rows, rows, String(width));
    const [crop] = found.windows;
    const input = ANY_CROP.apply(crop, rows);
    const exact = (crop.width * rows) / (crop.height * 24);
    assert.equal(input.width, 24 * Math.floor(exact + 0.5));
    assert.equal(input.data.length, rows * input.width);
  }
});

test("a line is seen in windows, sixteen at most, evenly spaced", () => {
  const line = textured(20, 800); // 40 times as wide as high
  const found = crops(line, ANY_CROP);
  assert.equal(found.windows.length, 5);
  found.windows.forEach((window, i) => {
    assert.deepEqual(size(window), [20, 160]);
    for (const y of [0, 19]) {
      assert.deepEqual(window.data.slice(y * 160, (y + 1) * 160), line.data.slice(y * 800 + i * 160, y * 800 + (i + 1) * 160));
    }
  });
  const long = gray(2, 16_384, (y, x) => (37 * x + 11 * (x >> 6) + 101 * y) % 251);
  const { windows } = crops(long, ANY_CROP);
  assert.equal(windows.length, 16);
  windows.forEach((window, i) => {
    const start = Math.floor((2 * i * (16_384 - 16) + 15) / 30);
    assert.deepEqual(window.data.slice(0, 16), long.data.slice(start, start + 16));
  });
  assert.equal(crops(textured(48, 395), ANY_CROP).windows.length, 1);
  assert.equal(crops(textured(48, 396), ANY_CROP).windows.length, 2);
});

test("formats 1 and 2 take the image as it is", () => {
  const image = onGround(300, 30, 40, 0);
  const found = crops(image, new Preprocessing(FIELDS));
  assert.equal(found.windows[0], image);
  assert.deepEqual([found.windows.length, found.rows, found.turned], [1, 48, 0]);
});

// --- transparency

/** An RGBA picture of 40 x 120 pixels from a function of row and column. */
function picture(at, height = 40, width = 120) {
  const data = Uint8Array.from({ length: 4 * height * width }, (_, i) => {
    const place = Math.floor(i / 4);
    return at(Math.floor(place / width), place % width)[i % 4];
  });
  return { data, width, height, channels: 4 };
}

const HIDDEN = [90, 200, 30, 0]; // what nothing is coloured with must not count
const ink = (y, x) => y >= 10 && y < 30 && x >= 10 && x < 110 && x % 10 < 3;
const grown = (y, x) => [-2, -1, 0, 1, 2].some((dy) => [-2, -1, 0, 1, 2].some((dx) => ink(y + dy, x + dx)));
const tone = (level) => [level, level, level, 255];
const plate = (paper, word) => (y, x) => (ink(y, x) ? tone(word) : y >= 2 && y < 38 && x >= 6 && x < 114 ? tone(paper) : HIDDEN);
const over = (word, under, mask) => (y, x) => (ink(y, x) ? tone(word) : mask(y, x) ? tone(under) : HIDDEN);

test("light ink is laid on black and dark ink on white; what has two tones on a ground like its rim", async () => {
  const shadow = (y, x) => ink(y - 2, x - 1);
  const cases = {
    white: [over(255, 0, () => false), BLACK],
    yellow: [(y, x) => (ink(y, x) ? [255, 220, 0, 255] : HIDDEN), BLACK],
    "a little light": [over(129, 0, () => false), BLACK],
    gray: [over(128, 0, () => false), WHITE],
    red: [(y, x) => (ink(y, x) ? [220, 0, 0, 255] : HIDDEN), WHITE],
    black: [over(0, 0, () => false), WHITE],
    "a white plate": [plate(255, 0), WHITE],
    "a black plate": [plate(0, 255), BLACK],
    "white with a black outline": [over(255, 0, grown), BLACK],
    "black with a white outline": [over(0, 255, grown), WHITE],
    "white with a black shadow": [over(255, 0, shadow), BLACK],
    "a white page with rounded corners": [(y, x) => (y + x < 6 ? HIDDEN : y === 20 && x > 50 && x < 60 ? tone(0) : tone(255)), WHITE],
    "a black page with rounded corners": [(y, x) => (y + x < 6 ? HIDDEN : y === 20 && x > 50 && x < 60 ? tone(255) : tone(0)), BLACK],
    "faint white": [(y, x) => (ink(y, x) ? [255, 255, 255, 60] : HIDDEN), BLACK],
  };
  for (const [name, [at, expected]] of Object.entries(cases)) {
    const image = picture(at);
    assert.equal(ground(image), expected, name);
    const laid = await loadImage(image);
    for (let i = 0; i < 40 * 120; i++) {
      const [r, g, b, alpha] = image.data.subarray(4 * i, 4 * i + 4);
      const wanted = alpha === 255 ? [r, g, b] : [r, g, b].map((c) => Math.round((c * alpha + expected * (255 - alpha)) / 255));
      assert.deepEqual([...laid.data.subarray(3 * i, 3 * i + 3)], wanted, `${name}, pixel ${i}`);
    }
  }
});

test("the ground is what the contract says, pixel by pixel", () => {
  const seen = { [BLACK]: 0, [WHITE]: 0, rim: 0 };
  for (let seed = 0; seed < 600; seed++) {
    const next = numbers(seed);
    const [height, width] = [2 + next(7), 2 + next(7)];
    const extreme = seed % 2 ? () => [0, 255][next(2)] : () => next(256); // two tones, of which a rim may be one
    const colours = Array.from({ length: 1 + next(4) }, () => Array(3).fill(extreme()));
    if (seed % 4 === 0) colours.push([next(256), next(256), next(256)]);
    const likely = [next(3), next(3), next(3), next(30)].flatMap((count, i) => Array(count).fill([0, 127, 128, 255][i]));
    const image = picture(() => [0, 0, 0, 0], height, width);
    for (let at = 0; at < image.data.length; at += 4) {
      image.data.set([...colours[next(colours.length)], likely.length ? likely[next(likely.length)] : 255], at);
    }
    const [expected, byRim] = reference(image);
    assert.equal(ground(image), expected, `seed ${seed}`);
    if (expected !== null) seen[expected]++;
    if (byRim) seen.rim++;
  }
  assert.ok(seen[BLACK] > 50 && seen[WHITE] > 50 && seen.rim > 50, JSON.stringify(seen));
});

/** The rule in words, by lists of places; and whether it was the rim that decided. */
function reference({ data, width, height }) {
  const all = Array.from({ length: width * height }, (_, i) => i);
  const alpha = (i) => data[4 * i + 3];
  const level = (i) => Math.floor((299 * data[4 * i] + 587 * data[4 * i + 1] + 114 * data[4 * i + 2] + 500) / 1000);
  const tones = (of) => [of.filter((i) => level(i) < 96).length, of.filter((i) => level(i) >= 160).length];
  if (all.every((i) => alpha(i) === 0)) return [null, false];
  let visible = all.filter((i) => alpha(i) >= 128);
  if (visible.length === all.length) return [WHITE, false];
  if (visible.length === 0) visible = all.filter((i) => alpha(i) > 0);
  if (16 * Math.min(...tones(visible)) >= visible.length || 16 * (all.length - visible.length) <= all.length) {
    const beside = (i) => [i % width > 0 && i - 1, i % width < width - 1 && i + 1, i >= width && i - width, i + width < all.length && i + width];
    const rim = visible.filter((i) => beside(i).some((j) => j !== false && !visible.includes(j)));
    const [dark, light] = tones(rim);
    if (4 * Math.max(dark, light) >= 3 * rim.length) return [light >= dark ? WHITE : BLACK, true];
  }
  return [visible.reduce((sum, i) => sum + level(i), 0) > 128 * visible.length ? BLACK : WHITE, false];
}

test("alpha of zero everywhere is no alpha", async () => {
  const next = numbers(3);
  const image = picture(() => [next(256), next(256), next(256), 0]);
  const laid = await loadImage(image);
  assert.deepEqual([...laid.data], [...image.data].filter((_, i) => i % 4 < 3));
});

test("the ground hangs on the whole picture, also of a region", async () => {
  const image = picture((y, x) => (x < 60 ? (ink(y, x) ? tone(255) : HIDDEN) : ink(y, x) ? tone(40) : HIDDEN));
  image.data.fill(255, 0, 4 * 120 * 8); // a white band above: the whole is light
  assert.equal(ground(image), BLACK);
  const dark = await loadImage(image, [60, 8, 120, 40]);
  assert.deepEqual([...dark.data.subarray(0, 3)], [0, 0, 0]);
});

// --- regions

test("what of a region lies outside is cut off; one wholly outside is an error", async () => {
  const image = textured(60, 100);
  const wanted = (left, top, right, bottom) => gray(bottom - top, right - left, (y, x) => image.data[(top + y) * 100 + left + x]);
  for (const [region, expected] of [
    [[10, 10, 101, 50], [10, 10, 100, 50]],
    [[-1, 0, 50, 50], [0, 0, 50, 50]],
    [[-5, -5, 200, 200], [0, 0, 100, 60]],
    [[0, 30, 50, 60.6], [0, 30, 50, 60]],
    [[-1e12, 3, 1e12, 9], [0, 3, 100, 9]],
    [[9.5, 19.5, 30.49, 50.2], [10, 20, 30, 50]],
  ]) {
    assert.deepEqual(await loadImage(image, region), wanted(...expected));
  }
  for (const [region, reason] of [
    [[100, 10, 120, 50], /^the region \(100, 10, 120, 50\) is outside the image of 100x60 pixels$/],
    [[-20, 0, 0, 50], /is outside the image/],
    [[0, 60, 50, 90], /is outside the image/],
    [[99, 10, 120, 50], /^1x40 pixels, but at least 2x2 are needed$/],
    [[30, 10, 10, 50], /is empty: right and bottom must exceed left and top by 2 or more$/],
    [[0, 0, Infinity, 50], /^a region must not hold NaN or infinity/],
    [[0, 0, 50], /^a region must be \[left, top, right, bottom\] or four corners \[x, y\], not \(0, 0, 50\)$/],
  ]) {
    await assert.rejects(loadImage(image, region), (error) => error.name === "ImageError" && reason.test(error.message));
  }
});

// --- four corners

const corners = (left, top, right, bottom) => [[left, top], [right, top], [right, bottom], [left, bottom]];

test("corners of an upright rectangle cut a box, and in another order turn it", async () => {
  const image = textured(60, 100);
  const box = await loadImage(image, [10, 20, 50, 40]);
  assert.deepEqual(await loadImage(image, corners(10, 20, 50, 40)), box);
  const [a, b, c, d] = corners(10, 20, 50, 40);
  const upsideDown = await loadImage(image, [c, d, a, b]);
  assert.deepEqual(upsideDown, { ...box, data: box.data.toReversed() });
  const onItsSide = await loadImage(image, [b, c, d, a]); // its top is the box's right side
  assert.deepEqual(size(onItsSide), [40, 20]);
  for (let y = 0; y < 40; y++) for (let x = 0; x < 20; x++) assert.equal(onItsSide.data[y * 20 + x], box.data[x * 40 + 39 - y]);
});

// Made by the Python SDK's `regions.cut` of the test's image: a region, the size, the levels at the corners, the sum of all.
const PYTHON = [
  [[[10, 10], [60, 20], [55, 45], [8, 30]], [23, 50], [30, 137, 45, 152], 99883],
  [[[20.5, 5.25], [80, 12], [70.5, 50], [12, 33]], [34, 60], [46, 169, 56, 188], 221221],
  [[[-20, -10], [60, 5], [70, 40], [-10, 50]], [49, 75], [0, 123, 48, 177], 334199],
  [[[50, 20], [130, 30], [120, 80], [45, 55]], [43, 62], [120, 225, 144, 253], 493824],
  [[[60, 50], [10, 45], [12, 12], [58, 8]], [38, 48], [166, 64, 122, 36], 169391],
];

test("corners are rectified as the Python SDK does it", async () => {
  const image = gray(60, 100, (y, x) => 2 * x + y);
  for (const [region, shape, ends, sum] of PYTHON) {
    const found = await loadImage(image, region);
    assert.deepEqual(size(found), shape, String(region));
    const [height, width] = shape;
    [0, width - 1, (height - 1) * width, height * width - 1].forEach((at, i) => {
      assert.ok(Math.abs(found.data[at] - ends[i]) <= 2, `${region}: ${found.data[at]}, not ${ends[i]}`);
    });
    const mean = found.data.reduce((total, level) => total + level, 0) / found.data.length;
    assert.ok(Math.abs(mean - sum / found.data.length) < 0.5, `${region}: ${mean}, not ${sum / found.data.length}`);
  }
});

test("corners outside the image, in a wrong order or in a line are refused; colours and alpha are not mixed up", async () => {
  const image = textured(60, 100);
  const order = /do not go clockwise around a convex quadrilateral: top left, top right, bottom right, bottom left$/;
  for (const [region, reason] of [
    [corners(200, 10, 220, 30), /^the region \(\(200, 10\), .* is outside the image of 100x60 pixels$/],
    [corners(50, 10, 20, 30), order],
    [corners(10, 10, 10, 30), order],
    [[[0, 0], [10, 0], [2, 2], [0, 10]], order],
    [[[0, 0], [10, 0], [10, NaN], [0, 10]], /^a region must not hold NaN or infinity/],
    [[[0, 0], [10, 0], [10, 10]], /^a region must be \[left, top, right, bottom\] or four corners \[x, y\], not /],
    [corners(1e30, 1e30, 2e30, 2e30), /pixels, but at most 16384 a side are allowed$/],
    [corners(0, 0, 1, 1), /^1x1 pixels, but at least 2x2 are needed$/],
    ["abcd", /^a region must be/],
  ]) {
    await assert.rejects(loadImage(image, region), (error) => error.name === "ImageError" && reason.test(error.message), String(region));
  }
  const coloured = picture((y, x) => (x < 60 ? [200, 100, 50, 255] : HIDDEN));
  const seen = await loadImage(coloured, corners(20, 5, 40, 30));
  assert.deepEqual([seen.channels, ...seen.data.subarray(0, 6)], [3, 200, 100, 50, 200, 100, 50]);
});

// --- files and models

test("kinds of files that need another program are named; without a decoder none is read", async () => {
  const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const kinds = {
    HEIC: bytes("\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    AVIF: bytes("\0\0\0\x1cftypavif\0\0\0\0mif1avif"),
    TIFF: bytes("II*\0\x08\0\0\0"),
    SVG: bytes('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
    other: bytes("\0\0\0\x18ftypisom\0\0\0\0mp41isom"),
  };
  const read = (kind) => loadImage(new Blob([kinds[kind]])).catch((error) => `${error.name}: ${error.message}`);
  assert.equal(await read("HEIC"), "ImageError: Node.js has no image decoder: decode it first and give { data, width, height, channels }");
  globalThis.createImageBitmap = async () => {
    throw new Error("not read");
  };
  try {
    assert.equal(await read("HEIC"), "ImageError: a HEIC image that this browser does not read; save it as JPEG or PNG");
    assert.equal(await read("AVIF"), "ImageError: an AVIF image that this browser does not read; save it as JPEG or PNG");
    assert.equal(await read("TIFF"), "ImageError: a TIFF image that this browser does not read; save it as JPEG or PNG");
    assert.equal(await read("SVG"), "ImageError: an SVG drawing, which has no pixels of its own; save it as PNG");
    assert.equal(await read("other"), "ImageError: not an image that this browser can read");
  } finally {
    delete globalThis.createImageBitmap;
  }
});

test("metadata is read without TextDecoder, also names in other letters", async () => {
  const file = await readFile(new URL("models/any-crop.onnx", import.meta.url));
  const found = readModelInfo(file);
  const decoder = globalThis.TextDecoder;
  delete globalThis.TextDecoder;
  try {
    assert.deepEqual(readModelInfo(file), found);
    const text = file.toString("latin1").replaceAll("Arabic", Buffer.from("日本").toString("latin1"));
    assert.equal(readModelInfo(Buffer.from(text, "latin1")).labels[0].name, "日本");
    assert.throws(() => readModelInfo(Buffer.from(text.replaceAll("\xe6", "\xff"), "latin1")), { name: "ModelError" });
  } finally {
    globalThis.TextDecoder = decoder;
  }
});

// --- which scripts may be answered

const LABELS = [["Arabic", "Arab"], ["Devanagari", "Deva"], ["Latin", "Latn"]].map(([name, code]) => ({ name, code }));

test("scripts are allowed and denied by name, code or alias, and scores are scaled to those", () => {
  assert.deepEqual(allowed(LABELS, null, null), [0, 1, 2]);
  assert.deepEqual(allowed(LABELS, ["latn", " Hindi "], null), [1, 2]);
  assert.deepEqual(allowed(LABELS, null, new Set(["ARABIC"])), [1, 2]);
  assert.deepEqual(allowed(LABELS, ["Latin", "Arab"], ["english"]), [0]);
  const answer = decide([[3, 1, 2]], { labels: LABELS, temperature: 1 }, 0.5, [1, 2]);
  assert.deepEqual(answer.scores.map(({ name }) => name), ["Latin", "Devanagari"]);
  assert.ok(Math.abs(answer.score - 1 / (1 + Math.exp(-1))) < 1e-12);
  for (const [allow, deny, sentence] of [
    ["Latin", null, /^allow must be a list of scripts, such as \["Latin", "Arab"\], not "Latin"$/],
    [null, 7, /^deny must be a list of scripts, .* not 7$/],
    [["Klingon"], null, /^allow: the model does not know the script "Klingon", but Arabic, Devanagari, Latin$/],
    [["Latin"], ["Latn"], /^allow and deny leave no script to answer; the model knows Arabic, Devanagari, Latin$/],
    [[], null, /^allow and deny leave no script/],
  ]) {
    assert.throws(() => allowed(LABELS, allow, deny), (error) => error.name === "ArgumentError" && sentence.test(error.message));
  }
});

test("aliases are the Python SDK's", async () => {
  const source = await readFile(new URL("../../scriptkd_sdk/scripts.py", import.meta.url), "utf8");
  const [, table] = source.match(/^ALIASES[^{]*{([^}]*)}/m);
  const aliases = [...table.matchAll(/"(\w+)": "(\w+)"/g)];
  assert.ok(aliases.length >= 16);
  for (const [, alias, name] of aliases) assert.deepEqual(allowed([{ name, code: "Test" }], [alias], null), [0]);
});
