// Section 2 of the model contract, for files of format 3: margins trimmed, tall crops laid down, lines cut into windows.
// All of it is arithmetic of whole numbers, so that every platform gets the same pixels.

import { cut, luma } from "./pixels.js";

const PLAIN = 24; // levels of luma: noise and JPEG's rounding stay below on a plain ground, ink that can be read does not
const RIM = 16; // of what is left after trimming, one part in so many is given back: the tips of letters are faint
const MOST_WINDOWS = 16;

/**
 * The crops of an image that the network sees: `{ windows, rows, turned }`. The windows are images of one size, rows
 * those of the network's input, and turned by how many degrees the crops were turned counterclockwise, 0 or 90.
 *
 * Of formats 1 and 2, whose pre-processing has no squareHeight, the crop is the image itself.
 * upright: the caller knows that the letters stand upright, so nothing is turned.
 */
export function crops(image, preprocessing, upright = false) {
  if (preprocessing.squareHeight === null) return { windows: [image], rows: preprocessing.height, turned: 0 };
  const light = image.channels === 1 ? image : luma(image);
  let crop = cut(preprocessing.channels === 1 ? light : image, trimmed(light));
  const turned = !upright && 2 * crop.height >= 3 * crop.width ? 90 : 0;
  if (turned) crop = laidDown(crop);
  const rows = 2 * crop.width < 3 * crop.height ? preprocessing.squareHeight : preprocessing.height;
  return { windows: windows(crop, preprocessing, rows), rows, turned };
}

/** What is left of a gray image without its plain margins, but for a narrow rim: [left, top, right, bottom]. */
function trimmed(light) {
  const { width, height } = light;
  const whole = [0, 0, width, height];
  const top = plainRows(light, 0, 1);
  const bottom = top < height ? height - plainRows(light, height - 1, -1) : 0;
  if (top >= bottom) return whole;
  const between = cut(light, [0, top, width, bottom]);
  const left = plainColumns(between, 0, 1);
  const right = left < width ? width - plainColumns(between, width - 1, -1) : 0;
  if (left >= right) return whole;
  const rim = Math.max(1, Math.floor(Math.min(bottom - top, right - left) / RIM));
  return [Math.max(left - rim, 0), Math.max(top - rim, 0), Math.min(right + rim, width), Math.min(bottom + rim, height)];
}

/** How many rows, from the first and in steps of 1 or -1, are plain and like the first. */
function plainRows({ data, width, height }, first, step) {
  let low = 255;
  let high = 0;
  for (let row = 0; row < height; row++) {
    let lowest = low;
    let highest = high;
    const from = (first + row * step) * width;
    for (let at = from; at < from + width; at++) {
      lowest = Math.min(lowest, data[at]);
      highest = Math.max(highest, data[at]);
      if (highest - lowest > PLAIN) return row;
    }
    if (row === 0) [low, high] = [lowest, highest];
  }
  return height;
}

/** The same of columns. They are looked at row by row, as the bytes lie, and dropped once they are unlike the first. */
function plainColumns({ data, width, height }, first, step) {
  const low = new Uint8Array(width).fill(255);
  const high = new Uint8Array(width);
  let left = width; // columns that may still be plain
  for (let y = 0; y < height; y++) {
    const from = y * width + first;
    for (let column = 0; column < left; column++) {
      const level = data[from + column * step];
      if (level < low[column]) low[column] = level;
      if (level > high[column]) high[column] = level;
      if (Math.max(high[column], high[0]) - Math.min(low[column], low[0]) > PLAIN) left = column;
    }
  }
  return left;
}

/** An image turned by 90 degrees counterclockwise. */
function laidDown({ data, width, height, channels }) {
  const turned = new Uint8Array(data.length);
  for (let row = 0, to = 0; row < width; row++) {
    for (let column = 0; column < height; column++) {
      const from = (column * width + width - 1 - row) * channels;
      for (let c = 0; c < channels; c++) turned[to++] = data[from + c];
    }
  }
  return { data: turned, width: height, height: width, channels };
}

/** A line that is wider than the network's input, cut into windows of one width, evenly spaced. */
function windows(crop, preprocessing, rows) {
  const { width, height } = crop;
  const { fixedWidth, widthMax } = preprocessing;
  if (fixedWidth || preprocessing.freeWidth(height, width, rows) <= widthMax) return [crop];
  const view = Math.max(1, Math.floor((2 * widthMax * height + rows) / (2 * rows)));
  if (view >= width) return [crop];
  const gaps = Math.min(MOST_WINDOWS, Math.ceil(width / view)) - 1;
  return Array.from({ length: gaps + 1 }, (_, i) => {
    const start = Math.floor((2 * i * (width - view) + gaps) / (2 * gaps));
    return cut(crop, [start, 0, start + view, height]);
  });
}
