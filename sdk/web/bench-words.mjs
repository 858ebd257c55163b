// Seconds that the page takes to find the words of a photo, in headless Chromium: `node bench-words.mjs [PHOTO] [RUNS]`.
// Without a photo, one of 12 megapixels is made of the page set's signs. From the press of the button to the boxes; the
// detector is here already. The first run is left out.

import { join } from "node:path";
import { readFile } from "node:fs/promises";
import { PATIENCE, root, start } from "./test/browser.mjs";

const [photo = null, runs = "5"] = process.argv.slice(2);
const { browser, url, close } = await start();
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(2 * PATIENCE);
await page.goto(url);
await page.getByText("Ready. Choose a picture.").waitFor();
const file = photo ?? { name: "photo.jpg", mimeType: "image/jpeg", buffer: Buffer.from(await page.evaluate(made, await signs()), "base64") };
await page.locator("#file").setInputFiles(file);
await page.locator("#bars li").nth(2).waitFor();
const seconds = [];
for (let run = 0; run <= Number(runs); run++) {
  await page.evaluate(() => (document.getElementById("found").textContent = ""));
  await page.locator("#find").click();
  await page.getByText(/ words? or lines? found in /).waitFor();
  const sentence = await page.locator("#found").innerText();
  console.log(run ? sentence : `first: ${sentence}`);
  if (run) seconds.push(Number(sentence.match(/in ([\d.]+) s/)[1]));
}
seconds.sort((one, other) => one - other);
console.log(`median of ${seconds.length}: ${seconds[seconds.length >> 1]} s`);
await close();

/** Nine signs of the page set, as addresses of their bytes. */
async function signs() {
  const names = Array.from({ length: 9 }, (_, i) => `sign-0${i + 1}.jpg`);
  const files = await Promise.all(names.map((name) => readFile(join(root, "benchmarks/pages/set", name))));
  return files.map((bytes) => `data:image/jpeg;base64,${bytes.toString("base64")}`);
}

/** A photo of 4000 x 3000 pixels with those pictures in rows of three; base64 of a JPEG. Runs inside the page. */
async function made(addresses) {
  const canvas = new OffscreenCanvas(4000, 3000);
  const context = canvas.getContext("2d");
  for (const [i, address] of addresses.entries()) {
    const picture = await createImageBitmap(await (await fetch(address)).blob());
    context.drawImage(picture, (4000 / 3) * (i % 3), 1000 * Math.floor(i / 3), 4000 / 3, 1000);
  }
  const reader = new FileReader();
  reader.readAsDataURL(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }));
  await new Promise((resolve) => (reader.onload = resolve));
  return reader.result.split(",")[1];
}
