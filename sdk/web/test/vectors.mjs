// The golden vectors without a browser, for Node.js.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inflateSync } from "node:zlib";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
export const folder = join(root, "sdk", "contract", "golden");
export const golden = JSON.parse(readFileSync(join(folder, "golden.json")));

/** The pixels of a plain PNG, 8 bits, gray or RGB: `{ data, width, height, channels }`. */
export function readPng(path) {
  const bytes = readFileSync(path);
  const [width, height, depth, colour] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20), bytes[24], bytes[25]];
  if (depth !== 8 || (colour !== 0 && colour !== 2) || bytes[28] !== 0) throw new Error(`${path} is not a plain PNG`);
  const chunks = [];
  for (let at = 8; at < bytes.length; at += bytes.readUInt32BE(at) + 12) {
    if (bytes.toString("latin1", at + 4, at + 8) === "IDAT") chunks.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  const lines = inflateSync(Buffer.concat(chunks));
  const channels = colour === 0 ? 1 : 3;
  const length = width * channels;
  const data = new Uint8Array(length * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (length + 1)];
    for (let x = 0; x < length; x++) {
      const left = x >= channels ? data[y * length + x - channels] : 0;
      const above = y > 0 ? data[(y - 1) * length + x] : 0;
      const corner = x >= channels && y > 0 ? data[(y - 1) * length + x - channels] : 0;
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
      data[y * length + x] = lines[y * (length + 1) + 1 + x] + guess;
    }
  }
  return { data, width, height, channels };
}

function paeth(left, above, corner) {
  const [a, b, c] = [above - corner, left - corner, left + above - 2 * corner].map(Math.abs);
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** The address of a golden model's file. */
export const modelPath = (name) => join(root, "sdk", golden.models[name].file);

/**
 * What an identifier with the golden model of that name answers otherwise than expected, as sentences; and the largest
 * difference of a score, unstable vectors left out: `{ wrong, largest, count }`.
 */
export async function compare(identifier, name) {
  const { labels, tolerance, unstable } = golden.models[name];
  const wrong = [];
  let largest = 0;
  for (const vector of golden.vectors) {
    const answer = await identifier.identify(readPng(join(folder, vector.pixels)));
    const limit = unstable.includes(vector.name) ? 0.1 : tolerance;
    const expected = new Map(labels.map((label, i) => [label, vector.scores[name][i]]));
    const differences = answer.scores.map((each) => Math.abs(each.score - expected.get(each.name)));
    if (name in (vector.orientation ?? {})) {
      differences.push(Math.abs(answer.orientationScore - vector.orientation_score[name]));
      if (limit === tolerance && answer.orientation !== vector.orientation[name]) wrong.push(`${vector.name}: orientation ${answer.orientation}`);
    }
    const difference = Math.max(...differences);
    if (!(difference <= limit)) wrong.push(`${vector.name}: a score is off by ${difference}`);
    if (limit !== tolerance) continue;
    largest = Math.max(largest, difference);
    if (expected.get(answer.best) !== Math.max(...expected.values())) wrong.push(`${vector.name}: ${answer.best} is first`);
  }
  return { wrong, largest, count: golden.vectors.length };
}
