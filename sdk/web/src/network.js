// A model's network: what it must be, and runs of it.

import { crops } from "./crop.js";
import { ModelError, firstLine } from "./errors.js";
import { Session } from "./session.js";

export const WAYS_UP = 4; // 0, 90, 180 and 270 degrees

/** One model's network. */
export class Network {
  #session;
  #outputs;

  /**
   * Opens a model file's network and runs it on blank images, to see that it is what the metadata says.
   *
   * info: what `readModelInfo` tells of the file. The other arguments and what is thrown are those of `Session.open`.
   */
  static async open(runtime, bytes, info, threads) {
    const network = new Network(await Session.open(runtime, bytes, threads), info);
    try {
      await network.#check(info);
    } catch (error) {
      await network.close();
      throw error;
    }
    return network;
  }

  /** Use `open`. */
  constructor(session, info) {
    this.#session = session;
    this.#outputs = info.orientationTemperature === null ? ["logits"] : ["logits", "orientation"];
  }

  /** Runs the network on bytes of that shape: `{ logits, orientation }`, onnxruntime's tensors; formats 1 and 2 lack the second. */
  run(data, shape) {
    return this.#session.run("uint8", data, shape, this.#outputs);
  }

  /** Frees the network's memory. No run may be on its way. */
  close() {
    return this.#session.close();
  }

  async #check(info) {
    const { inputNames, outputNames } = this.#session;
    if (inputNames.join() !== "image" || !this.#outputs.every((name) => outputNames.includes(name))) {
      const names = this.#outputs.map((name) => `'${name}'`).join(" and ");
      throw new ModelError(`the network must have the one input 'image' and the output ${names}, not ${inputNames} and ${outputNames}`);
    }
    const { channels, heights, widthMin, widthMax } = info.preprocessing;
    if (info.anySize) {
      for (const [height, width] of [[1, 9], [16, 2]]) {
        const blank = { data: new Uint8Array(height * width), width, height, channels: 1 };
        await this.#runBlank(info, [height, width, 3], crops(blank, info.preprocessing).windows.length);
      }
      return;
    }
    // Two images at both limits of the width, so that a batch size or a width frozen at export is found here.
    for (const height of heights) {
      for (const width of new Set([widthMin, widthMax])) await this.#runBlank(info, [2, channels, height, width], 2);
    }
  }

  /** Runs the network on a blank input of that shape, for which it must answer so many rows. */
  async #runBlank(info, shape, count) {
    const blank = new Uint8Array(shape.reduce((product, side) => product * side));
    let answers;
    try {
      answers = await this.run(blank, shape);
    } catch (error) {
      throw new ModelError(`the network does not run on a blank image (${firstLine(error)})`, { cause: error });
    }
    for (const [name, classes, what] of [["logits", info.labels.length, "labels"], ["orientation", WAYS_UP, "ways up"]]) {
      const answer = answers[name];
      if (answer === undefined) continue; // formats 1 and 2 tell no orientation
      if (answer.type !== "float32" || answer.dims.join() !== `${count},${classes}`) {
        throw new ModelError(
          `the metadata has ${classes} ${what}, but the network answers ${count} blank images with ` +
            `${answer.type} of shape [${answer.dims}], not float32 of shape [${count},${classes}]`,
        );
      }
      if (!answer.data.every(Number.isFinite)) throw new ModelError("the network answers a blank image with NaN or infinity");
    }
  }
}
