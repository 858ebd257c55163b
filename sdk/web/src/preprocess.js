// Section 2 of the model contract: what is done to an image before the network sees it.

import { ModelError } from "./errors.js";

const HALF = 0.5 + 1 / 512; // a little above 1/2, so that the last bit of a sum never decides
const LARGEST_SIDE = 4096; // of a network's input, in pixels
const FIELDS = ["channels", "height", "width_min", "width_max", "width_step"];

/**
 * How an image becomes a network's input.
 *
 * Images are `{ data, width, height, channels }`: bytes row by row, 1 channel (gray) or 3 (R, G, B).
 */
export class Preprocessing {
  /** Reads the metadata's object of five integers; throws ModelError for missing, unknown or impossible ones. */
  constructor(values) {
    const given = values !== null && typeof values === "object" ? Object.keys(values) : [];
    if (given.length !== FIELDS.length || !FIELDS.every((name) => given.includes(name))) {
      throw new ModelError(`pre-processing must have exactly the fields ${FIELDS.join(", ")}, not ${given.join(", ")}`);
    }
    for (const name of FIELDS) {
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
    Object.freeze(this);
  }

  /** The input's width for an image of this height and width; all in pixels. */
  widthFor(height, width) {
    const divisor = height * this.widthStep;
    const steps = Math.floor((2 * width * this.height + divisor) / (2 * divisor)); // integers: halves go up, exactly
    return Math.min(Math.max(steps * this.widthStep, this.widthMin), this.widthMax);
  }

  /** The network's input: `{ data: Uint8Array [channels, height, width], width }`. */
  apply(image) {
    const source = this.channels === 1 && image.channels === 3 ? luma(image) : image;
    const { channels } = source;
    const outWidth = this.widthFor(source.height, source.width);
    const rows = resampleRows(source, this.height);
    const plane = this.height * outWidth;
    const data = new Uint8Array(this.channels * plane);
    const filters = triangles(source.width, outWidth);
    for (let y = 0; y < this.height; y++) {
      const row = y * source.width * channels;
      for (let x = 0; x < outWidth; x++) {
        const { first, weights } = filters[x];
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let k = 0, at = row + first * channels + c; k < weights.length; k++, at += channels) {
            sum += weights[k] * rows[at];
          }
          data[c * plane + y * outWidth + x] = Math.min(Math.max(Math.floor(sum + HALF), 0), 255);
        }
      }
    }
    for (let c = channels; c < this.channels; c++) {
      data.copyWithin(c * plane, 0, plane); // gray for a network of three channels
    }
    return { data, width: outWidth };
  }
}

/** (299 R + 587 G + 114 B + 500) div 1000 of an RGB image, as a gray one. */
function luma({ data, width, height }) {
  const gray = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < gray.length; i++, at += 3) {
    gray[i] = Math.floor((299 * data[at] + 587 * data[at + 1] + 114 * data[at + 2] + 500) / 1000);
  }
  return { data: gray, width, height, channels: 1 };
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
