// The words of a photograph, found by the page: a person's path at phone and desktop size, with the real detector.

import assert from "node:assert/strict";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { out } from "../build.mjs";
import { FILE } from "../detector.mjs";
import { PATIENCE, SIZES, root, shots, start } from "./browser.mjs";

const SIGN = join(root, "benchmarks/pages/set/sign-01.jpg"); // upright, of two lines in Devanagari and one in Latin
const [WIDTH, HEIGHT] = [1066, 786];
const LATIN = [255, 393]; // where the Latin word is

let browser;
let url;
let close;

before(async () => {
  await mkdir(shots, { recursive: true });
  ({ browser, url, close } = await start());
});
after(() => close?.());

for (const [size, options] of Object.entries(SIZES)) {
  test(`words are found, ${size}`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(2 * PATIENCE);
    const crashes = [];
    const elsewhere = [];
    page.on("pageerror", (error) => crashes.push(String(error)));
    page.on("request", (request) => /^(https?|wss?):/.test(request.url()) && !request.url().startsWith(url) && elsewhere.push(request.url()));
    const shoot = (name) => page.screenshot({ path: join(shots, `${size}-${name}.png`), fullPage: true });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    const find = page.getByRole("button", { name: /^Find words/ });
    const press = () => find[options.hasTouch ? "tap" : "click"]();
    const found = page.locator("#found");
    let fetched = 0;
    await page.route(`**/detector/${FILE}`, (route) => (fetched++ ? route.continue() : route.abort()));
    await page.goto(url);
    await page.getByText("Ready. Choose a picture.").waitFor();
    await page.locator("#file").setInputFiles(SIGN);
    await page.locator("#bars li").nth(2).waitFor();
    const before = await page.locator("#box").innerText();
    assert.equal(fetched, 0, "the detector comes on demand");

    // It cannot be fetched: one sentence, and all stays as it was.
    await press();
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").innerText(), /^the word finder cannot be had, so draw boxes by hand or try again later \(.*cannot be fetched.*\)$/);
    assert.equal(await page.locator("#box").innerText(), before);
    assert.ok(await page.locator("#bars").isVisible());

    // The second time it comes. What is going on is said, and the size is that of the file.
    const { size: bytes } = await stat(join(out, "detector", FILE));
    assert.equal(await find.innerText(), `Find words ${(bytes / 1e6).toFixed(1)} MB`);
    await press();
    await page.getByText(/^(Fetching the word finder|Looking for words)/).waitFor();
    assert.ok(await page.locator("#progress").isVisible());
    await page.getByText(/ words or lines found in /).waitFor();
    assert.ok(await page.locator("#progress").isHidden());
    assert.ok(await page.getByRole("alert").isHidden());
    assert.equal(await find.innerText(), "Find words");
    await shoot("7-words");
    assert.ok(await fits());

    // Every word has the colour of its script, and a legend says which that is.
    const shapes = page.locator("#words g");
    const labels = await shapes.evaluateAll((all) => all.map((each) => each.getAttribute("aria-label")));
    assert.match(await found.innerText(), new RegExp(`^${labels.length} words or lines found`));
    const scripts = labels.map((label) => label.match(/^\d+ of \d+: (.*), \d+\.\d %$/)[1]);
    assert.deepEqual([...new Set(scripts)].sort(), ["Devanagari", "Latin"]);
    const colours = await shapes.evaluateAll((all) => all.map((each) => each.style.getPropertyValue("--script")));
    colours.forEach((colour, i) => assert.equal(colour, { Devanagari: "#d62d20", Latin: "#0057e7" }[scripts[i]]));
    const legend = (await page.locator("#legend li").allInnerTexts()).map((text) => text.trim());
    const number = (script) => scripts.filter((each) => each === script).length;
    assert.deepEqual(legend, ["Devanagari", "Latin"].map((script) => `${script} ${number(script)}`));

    // A tap on one tells more.
    const area = await page.locator("#canvas").boundingBox();
    const place = ([x, y]) => [area.x + (x * area.width) / WIDTH, area.y + (y * area.height) / HEIGHT];
    await (options.hasTouch ? page.touchscreen.tap(...place(LATIN)) : page.mouse.click(...place(LATIN)));
    await page.getByText("Latin Latn").waitFor();
    const latin = scripts.indexOf("Latin");
    assert.equal(await shapes.nth(latin).getAttribute("aria-pressed"), "true");
    assert.equal(await page.locator("#orientation").innerText(), "upright");
    assert.ok(await page.locator("#time").isHidden());
    const [, score] = labels[latin].match(/, (\d+\.\d %)$/);
    assert.equal(await page.getByRole("status").innerText(), `Latin, ${score}`);
    await shoot("8-word-chosen");

    // By keyboard: arrow keys go from word to word, Enter tells more.
    await page.keyboard.press("Home");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), labels[0]);
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await page.getByText("Devanagari Deva").waitFor();
    assert.deepEqual(await page.locator('#words g[aria-pressed="true"]').evaluateAll((all) => all.map((each) => each.getAttribute("aria-label"))), [labels[0]]);
    assert.deepEqual(await page.locator('#words g[tabindex="0"]').count(), 1, "one Tab leads past the words");

    // A box is drawn by hand, also where words are; they stay.
    if (!options.hasTouch) {
      const told = await page.locator("#box").innerText();
      await page.mouse.move(...place([120, 350]));
      await page.mouse.down();
      await page.mouse.move(...place([395, 430]), { steps: 4 });
      await page.mouse.up();
      await page.waitForFunction((text) => document.getElementById("box").textContent !== text && !document.getElementById("time").hidden, told);
      assert.equal(await shapes.count(), labels.length);
      assert.equal(await page.locator('#words g[aria-pressed="true"]').count(), 0);
    }

    // A picture without a word: one sentence, and the box stays. The words of the last picture are gone.
    const blank = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(320, 240);
      canvas.getContext("2d").fillStyle = "#8aa";
      canvas.getContext("2d").fillRect(0, 0, 320, 240);
      return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
    });
    await page.locator("#file").setInputFiles({ name: "blank.png", mimeType: "image/png", buffer: Buffer.from(blank) });
    await page.getByText("320 × 240 pixels at 0, 0").waitFor();
    assert.equal(await shapes.count(), 0);
    await press();
    await page.getByText("No words were found in this picture; draw a box around one by hand.").waitFor();
    assert.ok(await page.locator("#bars").isVisible());
    assert.equal(fetched, 2, "it is fetched once");
    assert.deepEqual(crashes, []);
    assert.deepEqual(elsewhere, [], "nothing may leave the device");
    await context.close();
  });
}
