// For `node --import`: onnxruntime-node stands in for onnxruntime-react-native, and what Hermes lacks is taken away.

import { register } from "node:module";

process.env.ORT_DISABLE_TELEMETRY = "1"; // before onnxruntime-node is loaded
const hook = `export const resolve = (name, context, next) => next(name === "onnxruntime-react-native" ? "onnxruntime-node" : name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`, import.meta.url);
for (const name of ["TextDecoder", "Blob"]) delete globalThis[name];
