// Scripts by name, ISO 15924 code or alias.

import { ArgumentError } from "./errors.js";

export const UNKNOWN = Object.freeze({ name: "unknown", code: "Zyyy" });

// Other names under which scripts are known, as in the Python SDK.
const ALIASES = new Map([
  ["english", "Latin"],
  ["roman", "Latin"],
  ["hindi", "Devanagari"],
  ["punjabi", "Gurmukhi"],
  ["gujrathi", "Gujarati"],
  ["telegu", "Telugu"],
  ["bangla", "Bengali"],
  ["odia", "Oriya"],
  ["amharic", "Ethiopic"],
  ["burmese", "Myanmar"],
  ["chinese", "Han"],
  ["hiragana", "Kana"],
  ["katakana", "Kana"],
  ["korean", "Hangul"],
  ["russian", "Cyrillic"],
  ["sinhalese", "Sinhala"],
]);

/**
 * Where the labels stand that may be answered, in their order. allow: null is all; deny is taken from it. Both are lists
 * of names, codes or aliases, in any case. Throws ArgumentError for a script that the model does not know, or where none is left.
 */
export function allowed(labels, allow, deny) {
  let left = labels.map((_, i) => i);
  if (allow !== null) {
    const some = indices("allow", allow, labels);
    left = left.filter((i) => some.has(i));
  }
  if (deny !== null) {
    const some = indices("deny", deny, labels);
    left = left.filter((i) => !some.has(i));
  }
  if (left.length === 0) throw new ArgumentError(`allow and deny leave no script to answer; the model knows ${names(labels)}`);
  return left;
}

function indices(argument, list, labels) {
  if (typeof list === "string" || typeof list?.[Symbol.iterator] !== "function") {
    throw new ArgumentError(`${argument} must be a list of scripts, such as ["Latin", "Arab"], not ${JSON.stringify(list)}`);
  }
  const places = new Map(labels.flatMap(({ name, code }, i) => [[code.toLowerCase(), i], [name.toLowerCase(), i]]));
  return new Set(
    Array.from(list, (each) => {
      const key = typeof each === "string" ? each.trim().toLowerCase() : "";
      const index = places.get(key) ?? places.get(ALIASES.get(key)?.toLowerCase());
      if (index !== undefined) return index;
      throw new ArgumentError(`${argument}: the model does not know the script ${JSON.stringify(each)}, but ${names(labels)}`);
    }),
  );
}

function names(labels) {
  return labels.map(({ name }) => name).join(", ");
}
