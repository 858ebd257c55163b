// Section 3 of the model contract: from a crop to the network's input.

import { ModelError } from "./errors.js";
import { luma } from "./pixels.js";

const HALF = 0.5 + 1 / 512; // a little above 1/2, so that the last bit of a sum never decides
const LARGEST_SIDE = 4096; // of a network's input, in pixels
const FIELDS = ["channels", "height", "width_min", "width_max", "width_step", "square_height"];
const REQUIRED = FIELDS.slice(0, -1);

/**
 * How a crop becomes a network's input. With `squareHeight`, the rows of the input of crops less than 1.5 times as wide
 * as high, the network is one for any crop (format 3): `crops` comes first. Else it is null.
 *
 * Images are `{ data, width, height, channels }`: bytes row by row, 1 channel (gray) or 3 (R, G, B).
 */
export class Preprocessing {
  /** Reads the metadata's object of integers; throws ModelError for missing, unknown or impossible ones. */
  constructor(values) {
    const given = values !== null && typeof values === "object" ? Object.keys(values) : [];
    if (!REQUIRED.every((name) => given.includes(name)) || !given.every((name) => FIELDS.includes(name))) {
      throw new ModelError(`pre-processing must have exactly the fields ${FIELDS.join(", ")}, not ${given.join(", ")}`);
    }
    const squareHeight = values.square_height ?? null;
    for (const name of squareHeight === null ? REQUIRED : FIELDS) {
      if (!Number.isInteger(values[name]) || values[name] < 1 || values[name] > LARGEST_SIDE) {
        throw new ModelError(`pre-processing: ${name} must be an integer from 1 to ${LARGEST_SIDE}, not ${values[name]}`);
      }
    }
    if (values.channels !== 1 && values.channels !== 3) {
      throw new ModelError(`pre-processing: channels must be 1 (luma) or 3 (RGB), not ${values.channels}`);
    }
    if (values.width_min > values.width_max) {
      throw new ModelError(`pre-processing: width_min (${values.width_min}) must not exceed width_max (${values.width_max})`);
    }
    this.channels = values.channels;
    this.height = values.height;
    this.widthMin = values.width_min;
    this.widthMax = values.width_max;
    this.widthStep = values.width_step;
    this.squareHeight = squareHeight;
    Object.freeze(this);
  }

  /** Whether every image gets the same width, whatever its aspect ratio. */
  get fixedWidth() {
    return this.widthMin === this.widthMax;
  }

  /** The rows that an input may have: one number, or two. */
  get heights() {
    return [...new Set([this.height, this.squareHeight ?? this.height])];
  }

  /** The input's width for a crop of this height and width, before it is clamped to the limits; all in pixels. */
  freeWidth(height, width, rows) {
    const divisor = height * this.widthStep;
    return Math.floor((2 * width * rows + divisor) / (2 * divisor)) * this.widthStep; // integers: halves go up, exactly
  }

  /** The input's width for a crop of this height and width; rows: of the input. All in pixels. */
  widthFor(height, width, rows = this.height) {
    return Math.min(Math.max(this.freeWidth(height, width, rows), this.widthMin), this.widthMax);
  }

  /** The network's input of a crop: `{ data: Uint8Array [channels, rows, width], width }`. */
  apply(image, rows = this.height) {
    const source = this.channels === 1 && image.channels === 3 ? luma(image) : image;
    const { channels } = source;
    const outWidth = this.widthFor(source.height, source.width, rows);
    const resampled = resample(source, rows, outWidth);
    if (channels === this.channels) return { data: resampled, width: outWidth };
    const data = new Uint8Array(this.channels * resampled.length);
    for (let c = 0; c < this.channels; c++) data.set(resampled, c * resampled.length); // gray for a network of three channels
    return { data, width: outWidth };
  }
}

/** An image resampled to that size, rounded: bytes [channels, rows, columns]. */
export function resample(image, rows, columns) {
  const { width, channels } = image;
  const resampled = resampleRows(image, rows);
  const plane = rows * columns;
  const data = new Uint8Array(channels * plane);
  const filters = triangles(width, columns);
  for (let y = 0; y < rows; y++) {
    const row = y * width * channels;
    for (let x = 0; x < columns; x++) {
      const { first, weights } = filters[x];
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0, at = row + first * channels + c; k < weights.length; k++, at += channels) {
          sum += weights[k] * resampled[at];
        }
        data[c * plane + y * columns + x] = Math.min(Math.max(Math.floor(sum + HALF), 0), 255);
      }
    }
  }
  return data;
}

/** The rows of an image resampled to `outHeight` rows of the same length, as doubles. */
function resampleRows({ data, width, height, channels }, outHeight) {
  const length = width * channels;
  const rows = new Float64Array(outHeight * length);
  triangles(height, outHeight).forEach(({ first, weights }, y) => {
    const row = rows.subarray(y * length, (y + 1) * length);
    weights.forEach((weight, k) => {
      const start = (first + k) * length;
      for (let x = 0; x < length; x++) row[x] += weight * data[start + x];
    });
  });
  return rows;
}

/** For each of m outputs the pixels of n that it is a mean of: the first one's index, and their weights. */
function triangles(n, m) {
  const scale = n / m;
  const reach = Math.max(scale, 1);
  return Array.from({ length: m }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(Math.floor(centre - reach), 0);
    const last = Math.min(Math.ceil(centre + reach), n);
    const weights = [];
    let sum = 0;
    for (let j = first; j < last; j++) {
      const weight = Math.max(0, 1 - Math.abs(j + 0.5 - centre) / reach);
      weights.push(weight);
      sum += weight;
    }
    return { first, weights: Float64Array.from(weights, (weight) => weight / sum) };
  });
}
