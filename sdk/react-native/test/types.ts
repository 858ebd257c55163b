// What an app writes, for `tsc --strict`.

import { ImageError, ScriptIdentifier, type Pixels, type Prediction } from "scriptkd-react-native";
import student from "scriptkd-react-native/models/student";

export async function use(pixels: Pixels): Promise<string> {
  const identifier = await ScriptIdentifier.load(student, { threads: 2, threshold: 0.5 });
  const one: Prediction = await identifier.identify(pixels, { region: [0, 0, 10, 10], deny: ["Latin"] });
  const many = await identifier.identifyBatch([pixels, pixels]);
  await identifier.close();
  // @ts-expect-error: the runtime is the phone's
  await ScriptIdentifier.load(student, { runtime: {} });
  return [one, ...many].map((answer) => (answer instanceof ImageError ? answer.message : answer.script)).join();
}
