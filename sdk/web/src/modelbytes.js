// A model file's bytes, from wherever it is.

import { ArgumentError, ModelError, firstLine } from "./errors.js";

/**
 * The bytes of a model file and what to call it: `{ bytes, name }`.
 *
 * model: its address (string or URL; in Node.js also a path), or its bytes (ArrayBuffer or Uint8Array).
 * progress: called with how many bytes of how many have come; of how many is null where the server does not say.
 */
export async function modelBytes(model, progress = null) {
  if (model instanceof Uint8Array) return { bytes: model, name: "the model" };
  if (model instanceof ArrayBuffer) return { bytes: new Uint8Array(model), name: "the model" };
  if (typeof model !== "string" && !(typeof URL !== "undefined" && model instanceof URL)) {
    throw new ArgumentError("a model must be an address, an ArrayBuffer or a Uint8Array");
  }
  const name = String(model);
  // Node.js fetches no files. Its module is asked for in this way so that bundlers do not look for it.
  const files = /^(https?|blob|data):/i.test(name) ? undefined : globalThis.process?.getBuiltinModule?.("node:fs/promises");
  if (files) {
    const path = name.startsWith("file:") ? new URL(name) : name;
    try {
      return { bytes: new Uint8Array(await files.readFile(path)), name };
    } catch (error) {
      throw new ModelError(`${name}: no such model file, or it cannot be read (${firstLine(error)})`, { cause: error });
    }
  }
  let response;
  let bytes;
  try {
    response = await fetch(model);
    bytes = await content(response, progress);
  } catch (error) {
    throw new ModelError(`${name}: cannot be fetched (${error.message})`, { cause: error });
  }
  if (!response.ok) throw new ModelError(`${name}: no such model file (the server says ${response.status})`);
  // Servers of one-page apps answer so for every address where nothing is.
  const isPage = response.headers.get("Content-Type")?.startsWith("text/html");
  if (isPage) throw new ModelError(`${name}: no such model file (the server answers with a web page)`);
  return { bytes, name };
}

async function content(response, progress) {
  if (progress === null || !response.body?.getReader) return new Uint8Array(await response.arrayBuffer());
  // Of a compressed answer the length is that of the compressed bytes.
  const length = response.headers.has("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
  const chunks = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
    loaded += part.value.length;
    progress(loaded, length || null);
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
