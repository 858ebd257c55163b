// What a user writes, for `tsc --strict`. Each line marked as an error must be one.

import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web/wasm";
import { ImageError, RuntimeError, ScriptIdentifier, ScriptkdError, bundledModels, type Prediction, type Region } from "scriptkd";
import { ScriptIdentifier as CoreIdentifier, type Pixels } from "scriptkd/core";

export async function use(file: File, canvas: HTMLCanvasElement, bytes: Uint8Array): Promise<string> {
  const identifier = await ScriptIdentifier.load();
  const others: CoreIdentifier[] = await Promise.all([
    ScriptIdentifier.load(bundledModels.world, { runtime: "/ort/ort.wasm.min.mjs", threads: 2, threshold: 0.5 }),
    ScriptIdentifier.load("model.onnx", { runtime: node }),
    ScriptIdentifier.load(new URL("model.onnx", "https://example.org"), { wasmPaths: { wasm: "/ort.wasm" }, worker: false }),
    CoreIdentifier.load(bytes.buffer as ArrayBuffer, { runtime: web }),
  ]);
  const pixels: Pixels = { data: bytes, width: 4, height: 2, channels: 3 };
  const regions: Region[] = [[0, 0, 4, 2], [[0, 0], [4, 0], [4, 2], [0, 2]]];
  const one: Prediction = await identifier.identify(pixels, { region: regions[0], allow: ["Latin", "Arab"], deny: new Set(["Taml"]), upright: true });
  const turned: 0 | 90 | 180 | 270 | null = one.orientation;
  const names: string[] = [String(turned)];
  for (const answer of await identifier.identifyRegions(canvas, regions, { threshold: 0 })) {
    names.push(answer instanceof ImageError ? answer.message : answer.shares[0]?.name ?? "");
  }
  for (const answer of await identifier.identifyBatch([file, canvas, pixels])) {
    if (!(answer instanceof Error)) names.push(`${answer.scores[0]?.name} ${answer.scores[0]?.score.toFixed(3)}`);
  }
  await identifier.openDetector("/detector.onnx", { progress: (loaded, total) => names.push(`${loaded} of ${total ?? "?"}`) });
  for (const word of await identifier.findWords(file, { threshold: 0.5, progress: (done, all) => names.push(`${done} of ${all}`) })) {
    const [[left, top]] = word.corners;
    names.push(`${word.script} at ${left}, ${top}: ${word.textScore}`);
  }
  try {
    await others[0]?.close();
  } catch (error) {
    if (error instanceof RuntimeError) names.push(error.name satisfies "RuntimeError");
    if (error instanceof ScriptkdError) names.push(error.message);
  }
  return names.join();
}

export async function misuse(identifier: ScriptIdentifier): Promise<void> {
  // @ts-expect-error: a path is no image
  await identifier.identify("word.png");
  // @ts-expect-error: two channels are none of 1, 3, 4
  await identifier.identify({ data: new Uint8Array(4), width: 2, height: 1, channels: 2 });
  // @ts-expect-error: three numbers are no region
  await identifier.identify(new Blob(), { region: [0, 0, 1] });
  // @ts-expect-error: scripts are a list of names
  await identifier.identify(new Blob(), { allow: 1 });
  // @ts-expect-error: the core has no runtime of its own
  await CoreIdentifier.load(new Uint8Array());
  // @ts-expect-error: identifiers are loaded
  new ScriptIdentifier();
}
