// A page as a user of the package writes it; Vite builds and serves it. The test asks by `identify`.

import { ScriptIdentifier, bundledModels } from "scriptkd";

window.identify = async (address, options) => {
  const identifier = await ScriptIdentifier.load(bundledModels.student, options);
  const image = await (await fetch(address)).blob();
  const answer = await identifier.identify(image);
  await identifier.close();
  return answer;
};
