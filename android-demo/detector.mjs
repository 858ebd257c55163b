// Puts the text detector, with its licence and notice, into a folder of the app's assets: node detector.mjs FOLDER.
// It is the browser page's, so what is downloaded and how it is checked stands there.

import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FILE, Unavailable, detector } from "../sdk/web/detector.mjs";

const [folder] = process.argv.slice(2);
try {
  const { path, notice } = await detector();
  await mkdir(folder, { recursive: true });
  await cp(path, join(folder, FILE));
  await cp(new URL("../LICENSE", import.meta.url), join(folder, "LICENSE.txt"));
  await writeFile(join(folder, "NOTICE.txt"), notice);
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.error(error.message);
  process.exit(75); // as in tools.sh
}
