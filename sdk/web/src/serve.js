// The worker's side: `Answers` behind messages.

import { Answers } from "./answers.js";
import { packed } from "./messages.js";
import { loaded } from "./runtime.js";

/** Answers the messages of `WorkerAnswers`. importRuntime: from an address, or null, to a promise of onnxruntime's module. */
export function serve(importRuntime) {
  let answers;
  const methods = {
    async open(address, wasmPaths, bytes, threads) {
      answers = await Answers.open(await loaded(importRuntime(address), wasmPaths), bytes, threads);
    },
    identify: (...args) => answers.identify(...args),
    identifyRegions: async (...args) => (await answers.identifyRegions(...args)).map(packed),
    openDetector: (...args) => answers.openDetector(...args),
    findWords: (...args) => answers.findWords(...args),
  };
  self.onmessage = async ({ data: { id, method, args } }) => {
    const progress = (done, all) => self.postMessage({ id, progress: [done, all] });
    const reply = await methods[method](...args, progress).then(packed, packed);
    if (args[0] instanceof ImageBitmap) args[0].close(); // it was sent here
    self.postMessage({ id, ...reply });
  };
}
