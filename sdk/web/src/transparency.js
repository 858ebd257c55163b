// Transparent pictures: on which ground they are laid, black or white, so that what is drawn on them is seen.

import { lumaAt } from "./pixels.js";

export const BLACK = 0;
export const WHITE = 255;
const VISIBLE = 128; // alpha from which on a pixel counts
const DARK = 96; // luma below which a pixel is dark
const LIGHT = 160; // luma from which on it is light
const TWO_TONES = 16; // two tones: each has at least one in so many visible pixels
const NEARLY_ALL = 16; // a plate: at most one in so many pixels is not visible, as with rounded corners

/** Whether every pixel of an image of four channels is opaque. */
export function opaque({ data }) {
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return false;
  return true;
}

/**
 * The gray, 0 or 255, that a picture of four channels is laid on. Null where alpha is 0 everywhere, as screenshots and
 * bitmaps leave their fourth byte empty: that is no alpha, and the colours are what is stored.
 *
 * A plate or page with words on it is laid on a ground like its rim, with which it melts. So is a word with an outline.
 * Ink alone, and what has no plain rim, such as a word with its shadow, is laid on the ground that is farther from it.
 * Where the ground nowhere comes out, it is white.
 */
export function ground({ data, width, height }) {
  const size = width * height;
  let visible = 0;
  let highest = 0;
  for (let at = 3; at < data.length; at += 4) {
    if (data[at] > highest) highest = data[at];
    if (data[at] >= VISIBLE) visible++;
  }
  if (highest === 0) return null;
  if (visible === size) return WHITE;
  const least = visible > 0 ? VISIBLE : 1; // alpha
  const seen = new Tones();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] >= least) seen.add(data, at);
  if (Math.min(seen.dark, seen.light) * TWO_TONES >= seen.count || (size - seen.count) * NEARLY_ALL <= size) {
    const rim = rimOf({ data, width, height }, least);
    if (Math.max(rim.dark, rim.light) * 4 >= rim.count * 3) return rim.light >= rim.dark ? WHITE : BLACK;
  }
  return seen.total > 128 * seen.count ? BLACK : WHITE;
}

/** An image of four channels laid on a gray by its alpha, rounded to nearest, as one of three; null: as if opaque. */
export function lay({ data, width, height }, shade) {
  const out = new Uint8Array(3 * width * height);
  for (let at = 0, to = 0; at < data.length; at += 4) {
    const alpha = shade === null ? 255 : data[at + 3];
    const rest = (shade ?? 0) * (255 - alpha) + 127;
    for (let c = 0; c < 3; c++) out[to++] = alpha === 255 ? data[at + c] : Math.floor((data[at + c] * alpha + rest) / 255);
  }
  return { data: out, width, height, channels: 3 };
}

/** Of the pixels that are seen, those beside one that is not. What lies beyond the picture's edge is no rim. */
function rimOf({ data, width, height }, least) {
  const rim = new Tones();
  const hidden = (x, y) => x >= 0 && x < width && y >= 0 && y < height && data[4 * (y * width + x) + 3] < least;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      if (data[at + 3] < least) continue;
      if (hidden(x - 1, y) || hidden(x + 1, y) || hidden(x, y - 1) || hidden(x, y + 1)) rim.add(data, at);
    }
  }
  return rim;
}

/** How many of some pixels are dark, light, there at all; and the sum of their luma. */
class Tones {
  dark = 0;
  light = 0;
  count = 0;
  total = 0;

  add(data, at) {
    const level = lumaAt(data, at);
    if (level < DARK) this.dark++;
    if (level >= LIGHT) this.light++;
    this.count++;
    this.total += level;
  }
}
