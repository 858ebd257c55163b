// Sections 1 and 4 of the model contract: what a model file says about itself.

import { ModelError } from "./errors.js";
import { Preprocessing } from "./preprocess.js";

const KEY = "scriptkd";
const FORMAT = 3; // the newest format of metadata that this version reads
const ANY_CROP = 3; // the format from which on a network takes any crop and tells orientation
const METADATA_PROPS = 14; // field of onnx.ModelProto: a StringStringEntryProto, whose field 1 is the key, 2 the value

// Control characters, spaces but the ordinary one, and what else has no glyph.
const UNPRINTABLE = (() => {
  try {
    return new RegExp("[\\p{C}\\p{Z}]", "u");
  } catch {
    return /[\0-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]/; // Hermes, which knows no \p
  }
})();

/** Reads the description inside an ONNX file (Uint8Array); throws ModelError naming what is missing or wrong. */
export function readModelInfo(bytes) {
  let text;
  try {
    text = metadata(bytes).get(KEY);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError("not an ONNX file", { cause: error });
  }
  if (text === undefined) throw new ModelError("an ONNX file without scriptkd's metadata; export it with scriptkd-export");
  let fields;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    throw new ModelError(`its metadata is not JSON: ${error.message}`, { cause: error });
  }
  if (fields === null || typeof fields !== "object" || Array.isArray(fields)) {
    throw new ModelError("its metadata is not a JSON object");
  }
  if (!Number.isInteger(fields.format) || fields.format < 1) {
    throw new ModelError(`its metadata has no format version: ${fields.format}`);
  }
  if (fields.format > FORMAT) {
    throw new ModelError(`its format is ${fields.format}, but this scriptkd reads formats up to ${FORMAT}: update scriptkd`);
  }
  const input = fields.input ?? "pixels";
  if (input !== "pixels" && input !== "image") throw new ModelError(`its input must be 'pixels' or 'image', not ${input}`);
  const provenance = fields.provenance ?? {};
  if (typeof provenance !== "object" || Array.isArray(provenance)) {
    throw new ModelError(`its provenance must be an object, not ${provenance}`);
  }
  const preprocessing = new Preprocessing(fields.preprocessing ?? {});
  const anyCrop = fields.format >= ANY_CROP;
  if (anyCrop !== (preprocessing.squareHeight !== null)) {
    throw new ModelError(
      `its pre-processing must have square_height from format ${ANY_CROP} on, not before; its is ${fields.format}`,
    );
  }
  return Object.freeze({
    network: string(fields, "network"),
    labels: labels(fields.labels),
    preprocessing,
    anySize: input === "image", // the network takes whole images, uint8 [height, width, 3]
    temperature: number(fields, "temperature", 1e-3, 1e3),
    threshold: number(fields, "threshold", 0, 1),
    orientationTemperature: anyCrop ? number(fields, "orientation_temperature", 1e-3, 1e3) : null, // null: tells none
    orientationThreshold: anyCrop ? number(fields, "orientation_threshold", 0, 1) : null,
    precision: string(fields, "precision"),
    provenance,
  });
}

/** The metadata properties of an ONNX file by key. onnxruntime-web does not tell them, so the file is read here. */
function metadata(bytes) {
  const properties = new Map();
  for (const [field, value] of messageFields(bytes)) {
    if (field !== METADATA_PROPS || !(value instanceof Uint8Array)) continue;
    const entry = new Map(messageFields(value));
    properties.set(decode(entry.get(1)), decode(entry.get(2)));
  }
  return properties;
}

/** UTF-8, without TextDecoder, which Hermes (React Native) lacks; empty where the bytes are something else. */
function decode(bytes) {
  if (!(bytes instanceof Uint8Array)) return "";
  try {
    return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
  } catch {
    return "";
  }
}

/** The fields of a protobuf message in their order, [number, value]; the values of length-delimited ones as bytes. */
function* messageFields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= bytes.length || factor > 2 ** 63) throw new RangeError("a number that does not end");
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const kind = tag % 8;
    if (field === 0) throw new RangeError("a field without a number");
    if (kind === 0) {
      yield [field, varint()];
      continue;
    }
    const length = kind === 2 ? varint() : { 1: 8, 5: 4 }[kind];
    if (length === undefined || at + length > bytes.length) throw new RangeError("a field that does not end");
    yield [field, bytes.subarray(at, at + length)];
    at += length;
  }
}

function labels(values) {
  if (!Array.isArray(values) || values.length === 0) throw new ModelError("its labels must be a list of scripts");
  for (const value of values) {
    if (typeof value?.name !== "string" || typeof value?.code !== "string") {
      throw new ModelError("each of its labels must have a name and a code");
    }
    if (UNPRINTABLE.test((value.name + value.code).replaceAll(" ", ""))) {
      throw new ModelError(`the name and the code of each of its labels must be printable, not ${JSON.stringify(value)}`);
    }
  }
  if (new Set(values.map((value) => value.name)).size < values.length) {
    throw new ModelError("two of its labels have the same name");
  }
  return Object.freeze(values.map(({ name, code }) => Object.freeze({ name, code })));
}

function string(fields, name) {
  if (typeof fields[name] !== "string") throw new ModelError(`its ${name} must be text, not ${fields[name]}`);
  return fields[name];
}

function number(fields, name, low, high) {
  const value = fields[name];
  if (typeof value !== "number") throw new ModelError(`its ${name} must be a number, not ${value}`);
  if (!(value >= low && value <= high)) throw new ModelError(`its ${name} must lie in ${low}..${high}, not ${value}`);
  return value;
}
