// The search for words: the detector that is fetched on demand, progress, and what was found as a sentence and a legend.

import { ModelError } from "scriptkd";
import { colour } from "./colours.js";

const DETECTOR = "detector/PP-OCRv6_det_small.onnx";

export class WordSearch {
  #identifier;
  #byId;
  #ready = false; // the detector is here

  /** identifier: a ScriptIdentifier. byId: gives the page's elements. */
  constructor(identifier, byId) {
    this.#identifier = identifier;
    this.#byId = byId;
    this.running = false;
  }

  /**
   * The words of a picture, as the SDK finds them, and how long that took: `{ words, seconds }`; null where `wanted()` turns false meanwhile, as another picture came.
   * Throws ScriptkdError.
   */
  async find(picture, wanted) {
    this.running = true;
    this.#byId("find").setAttribute("aria-disabled", "true");
    try {
      await this.#fetchDetector();
      if (!wanted()) return null;
      this.#progress("Looking for words …");
      const progress = (done, all) => all && this.#progress(`Telling the scripts of ${count(all)} …`, done, all);
      const started = performance.now();
      const words = await this.#identifier.findWords(picture, { progress });
      return wanted() ? { words, seconds: (performance.now() - started) / 1000 } : null;
    } finally {
      this.running = false;
      this.#byId("find").removeAttribute("aria-disabled");
      this.#byId("progress").hidden = true;
      this.#byId("found").textContent = "";
    }
  }

  /** Shows a sentence, and a legend of the scripts of words. */
  show(words, sentence) {
    this.#byId("found").textContent = sentence;
    const codes = new Map(words.map(({ script, code }) => [script, code]));
    const number = (script) => words.filter((word) => word.script === script).length;
    const scripts = [...codes.keys()].sort((one, other) => number(other) - number(one));
    const items = scripts.map((script) => {
      const item = document.createElement("li");
      item.textContent = `${script} ${number(script)}`;
      item.style.setProperty("--script", colour(codes.get(script)));
      return item;
    });
    this.#byId("legend").replaceChildren(...items);
    this.#byId("legend").hidden = words.length === 0;
  }

  async #fetchDetector() {
    if (this.#ready) return;
    const megabytes = this.#byId("megabytes");
    const sentence = `Fetching the word finder, ${megabytes.textContent} …`;
    try {
      await this.#identifier.openDetector(DETECTOR, { progress: (loaded, total) => this.#progress(sentence, total && loaded, total) });
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      throw new ModelError(`the word finder cannot be had, so draw boxes by hand or try again later (${error.message})`, { cause: error });
    }
    this.#ready = true;
    megabytes.hidden = true;
  }

  /** Shows what is being done, and how much of it is; without numbers, that it goes on. */
  #progress(text, done = null, all = null) {
    const [found, bar] = ["found", "progress"].map(this.#byId);
    if (found.textContent !== text) found.textContent = text; // so that it is read out once
    bar.hidden = false;
    if (all) [bar.max, bar.value] = [all, done];
    else bar.removeAttribute("value");
  }
}

/** So many words, for a sentence. */
export function count(number) {
  return number === 1 ? "1 word or line" : `${number} words or lines`;
}

/** The upright box around four corners, within a picture, in whole pixels: [left, top, right, bottom]. */
export function around(corners, { width, height }) {
  const [xs, ys] = [0, 1].map((axis) => corners.map((corner) => Math.round(corner[axis])));
  const within = (value, most) => Math.min(Math.max(value, 0), most);
  return [
    within(Math.min(...xs), width),
    within(Math.min(...ys), height),
    within(Math.max(...xs), width),
    within(Math.max(...ys), height),
  ];
}

/** The commonest of several orientations, null left out; null where none is told. */
export function commonest(orientations) {
  const known = orientations.filter((each) => each !== null);
  const number = (value) => known.filter((each) => each === value).length;
  return known.length ? known.reduce((best, each) => (number(each) > number(best) ? each : best)) : null;
}
