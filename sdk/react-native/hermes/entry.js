// Runs in Hermes, and in Node.js to compare: a model's metadata is read and golden images are prepared. `given` holds them, as
// hexadecimal texts; what comes out is printed.

import { ModelError, Preprocessing, crops, readModelInfo } from "scriptkd/core";

const bytes = (text) => Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
const checksum = (data, start) => data.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, start);

print(typeof TextDecoder);
print(JSON.stringify(readModelInfo(bytes(given.model))));
try {
  readModelInfo(bytes(given.model.slice(0, 2000)));
} catch (error) {
  print(`${error instanceof ModelError} ${error.name}: ${error.message}`);
}
for (const { name, data, width, height, channels } of given.images) {
  for (const values of given.preprocessings) {
    const steps = new Preprocessing(values);
    const { windows, rows, turned } = crops({ data: bytes(data), width, height, channels }, steps);
    print(`${name} ${rows} ${turned} ${windows.map((window) => checksum(steps.apply(window, rows).data, 0)).join(" ")}`);
  }
}
