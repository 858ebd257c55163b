// A text detector of PP-OCR's kind: sdk/contract/words.md, sections 1 and 2.

import { boxes } from "./boxes.js";
import { ModelError, RuntimeError, firstLine } from "./errors.js";
import { resample } from "./preprocess.js";
import { Session } from "./session.js";

const LONGEST = 640; // pixels of the input
const STEP = 32;

/** Finds words, or lines where words stand close, in an image `{ data, width, height, channels }` of 1 or 3 channels. */
export class Detector {
  #session;

  /** Opens an ONNX file and tries it on a blank image. The arguments and what is thrown are those of `Session.open`. */
  static async open(runtime, bytes, threads) {
    const detector = new Detector(await Session.open(runtime, bytes, threads));
    try {
      await detector.#map(new Float32Array(3 * STEP * STEP), STEP, STEP);
      return detector;
    } catch (error) {
      await detector.close();
      throw new ModelError(`not a text detector of PP-OCR's kind (${firstLine(error)})`, { cause: error });
    }
  }

  /** Use `open`. */
  constructor(session) {
    this.#session = session;
  }

  /** The boxes of an image, as `boxes` gives them. Throws RuntimeError where onnxruntime fails. */
  async detect(image) {
    const { data, width, height } = detectorInput(image);
    const scaled = new Float32Array(data.length);
    for (let i = 0; i < data.length; i++) scaled[i] = data[i] / 127.5 - 1;
    try {
      return boxes({ data: await this.#map(scaled, width, height), width, height }, image.width, image.height);
    } catch (error) {
      throw new RuntimeError(`the text detector failed on this image (${firstLine(error)})`, { cause: error });
    }
  }

  /** Frees the network's memory. No run may be on its way. */
  close() {
    return this.#session.close();
  }

  async #map(data, width, height) {
    const [name] = this.#session.outputNames;
    const { [name]: map } = await this.#session.run("float32", data, [1, 3, height, width], [name]);
    if (map.type !== "float32" || map.dims.join() !== `1,1,${height},${width}`) {
      throw new ModelError(`its map is ${map.type} of shape [${map.dims}], not float32 of shape [1,1,${height},${width}]`);
    }
    return map.data;
  }
}

/** What the detector sees of an image, before scaling: `{ data, width, height }`, bytes [3, height, width] in the order B, G, R. */
export function detectorInput(image) {
  const longest = Math.max(image.width, image.height);
  const side = (length) => STEP * Math.max(1, Math.floor((2 * LONGEST * length + STEP * longest) / (2 * STEP * longest)));
  const [width, height] = [side(image.width), side(image.height)];
  const planes = resample(image, height, width);
  const size = width * height;
  const data = new Uint8Array(3 * size);
  for (let channel = 0; channel < 3; channel++) {
    const from = image.channels === 1 ? 0 : 2 - channel;
    data.set(planes.subarray(from * size, (from + 1) * size), channel * size);
  }
  return { data, width, height };
}
