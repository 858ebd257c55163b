// onnxruntime's module, from where it lies.

import { RuntimeError, firstLine } from "./errors.js";

/** Imports the module with that address. Bundlers leave it alone, as they cannot know it. */
export function importAddress(address) {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ address);
}

/**
 * The module that a promise of an import gives. wasmPaths: for onnxruntime-web, where its other files are, if not beside it.
 * Throws RuntimeError where it cannot be loaded.
 */
export async function loaded(importing, wasmPaths) {
  let runtime;
  try {
    runtime = await importing;
  } catch (error) {
    throw new RuntimeError(`onnxruntime cannot be loaded (${firstLine(error)})`, { cause: error });
  }
  if (wasmPaths !== null && runtime.env?.wasm) runtime.env.wasm.wasmPaths = wasmPaths;
  return runtime;
}
