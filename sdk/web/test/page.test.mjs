// A person's path through the page, at phone and desktop size, with screenshots in build/web-screenshots.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, serveRepository, shots, start } from "./browser.mjs";

const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" },
};

let browser;
let url;
let close;

before(async () => {
  await mkdir(shots, { recursive: true });
  ({ browser, url, close } = await start());
});
after(() => close?.());

for (const [size, options] of Object.entries(SIZES)) {
  test(`a person's path, ${size}`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const problems = [];
    const elsewhere = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("request", (request) => /^(https?|wss?):/.test(request.url()) && !request.url().startsWith(url) && elsewhere.push(request.url()));
    await serveRepository(page);
    const shoot = (name) => page.screenshot({ path: join(shots, `${size}-${name}.png`), fullPage: true });
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

    await page.goto(url);
    await page.getByText("Ready. Choose a picture.").waitFor();
    assert.match(await page.locator("footer").innerText(), /Arabic, .* and Telugu/);
    await shoot("1-start");
    assert.ok(await fits());

    // A picture of two words is dropped; all of it is answered at once.
    const words = await page.evaluate(drawPicture);
    await page.evaluate(drop, words.bytes);
    await page.locator("#bars li").nth(2).waitFor();
    const first = await page.locator("#box").innerText();
    assert.equal(first, `${words.width} × ${words.height} pixels at 0, 0`);

    // A box is dragged around the second word.
    const area = await page.locator("#canvas").boundingBox();
    const corners = [words.second.slice(0, 2), words.second.slice(2)].map(([x, y]) => [
      area.x + (x * area.width) / words.width,
      area.y + (y * area.height) / words.height,
    ]);
    await (options.hasTouch ? dragByTouch : dragByMouse)(page, context, corners);
    await page.waitForFunction((before) => document.getElementById("box").textContent !== before, first);
    const box = (await page.locator("#box").innerText()).match(/\d+/g).map(Number);
    const [width, height, left, top] = box;
    [left, top, left + width, top + height].forEach((value, i) => {
      assert.ok(Math.abs(value - words.second[i]) <= 3, `${box}, not ${words.second}`);
    });

    // What the page says is what the SDK says.
    const answer = await page.evaluate(answerTo, { bytes: words.bytes, region: [left, top, left + width, top + height] });
    await page.waitForFunction((script) => document.getElementById("script").textContent.startsWith(script), answer.script);
    const bars = (await page.locator("#bars li").allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
    const percent = (score) => `${(100 * score).toFixed(1)} %`;
    assert.deepEqual(bars, answer.scores.slice(0, 3).map(({ name, score }) => `${name} ${percent(score)}`));
    assert.match(await page.locator("#latency").innerText(), /^\d+(\.\d)? ms$/);
    assert.equal(await page.getByRole("status").innerText(), `${answer.script}, ${percent(answer.score)}`);
    await shoot("2-answer");
    assert.ok(await fits());

    // By keyboard.
    await page.locator("#canvas").focus();
    await page.keyboard.press("a");
    await page.getByText(first, { exact: true }).waitFor();
    await page.keyboard.press("Shift+ArrowLeft");
    await page.waitForFunction((before) => document.getElementById("box").textContent !== before, first);
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => !document.getElementById("box").textContent.endsWith("at 0, 0"));
    await page.getByRole("button", { name: "Whole picture" }).click();
    await page.getByText(first, { exact: true }).waitFor();

    // A broken file is named in a sentence, and the page goes on.
    await page.locator("#file").setInputFiles(join(root, "sdk/contract/golden/refused/truncated.png"));
    await page.getByRole("alert").waitFor();
    assert.equal(await page.getByRole("alert").innerText(), "truncated.png: broken or truncated PNG");
    assert.ok(await page.locator("#bars").isVisible());
    await shoot("3-broken-file");
    await page.locator("#file").setInputFiles(join(root, "sdk/contract/golden/refused/text.png"));
    await page.getByText("text.png: not an image that this browser can read").waitFor();

    // The next good picture, pasted, takes the message away.
    await page.evaluate(paste, words.single);
    await page.getByRole("alert").waitFor({ state: "hidden" });
    await shoot("4-pasted-crop");
    assert.ok(await fits());

    // One chosen from a folder.
    await page.locator("#file").setInputFiles({ name: "sample.jpg", mimeType: "image/jpeg", buffer: await readFile(join(root, "samples/kannada-0.jpg")) });
    const expected = await page.evaluate(answerTo, { bytes: [...(await readFile(join(root, "samples/kannada-0.jpg")))], region: null });
    await page.waitForFunction((script) => document.getElementById("script").textContent.startsWith(script), expected.script);
    assert.deepEqual(problems, []);
    assert.deepEqual(elsewhere, [], "nothing may leave the device");
    await context.close();
  });
}

const refused = (name) => readFile(join(root, "sdk/contract/golden/refused", name));
const BAD_MODELS = {
  missing: [async () => ({ status: 404 }), /^student\.onnx: no such model file/],
  "not a model": [async () => ({ body: await refused("text.onnx") }), /^student\.onnx: /],
  "of a newer version": [async () => ({ body: await refused("newer-format.onnx") }), /^student\.onnx: its format is 99/],
};
for (const [name, [answer, sentence]] of Object.entries(BAD_MODELS)) {
  test(`a model that is ${name}: the page says so and goes on`, async () => {
    const page = await browser.newPage();
    const crashes = [];
    page.on("pageerror", (error) => crashes.push(String(error)));
    await page.route("**/student.onnx", async (route) => route.fulfill(await answer()));
    await page.goto(url);
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").innerText(), sentence);
    await page.locator("#file").setInputFiles(join(root, "samples/kannada-0.jpg"));
    await page.locator("#canvas").waitFor(); // the picture is shown, and why it has no answer
    assert.match(await page.getByRole("alert").innerText(), sentence);
    assert.deepEqual(crashes, []);
    await page.close();
  });
}

// --- what runs inside the page

/** A photograph-like picture of two of the samples; bytes of PNG files, and where the second word is. */
async function drawPicture() {
  const load = async (name) => createImageBitmap(await (await fetch(`/samples/${name}`)).blob());
  const [one, two] = await Promise.all(["latin-0.jpg", "tamil-0.jpg"].map(load));
  const canvas = new OffscreenCanvas(640, 420);
  const context = canvas.getContext("2d");
  const ground = context.createLinearGradient(0, 0, 640, 420);
  ground.addColorStop(0, "#d9cdb8");
  ground.addColorStop(1, "#8d9aa5");
  context.fillStyle = ground;
  context.fillRect(0, 0, 640, 420);
  const put = (image, x, y, width) => {
    const height = Math.round((image.height * width) / image.width);
    context.drawImage(image, x, y, width, height);
    return [x, y, x + width, y + height];
  };
  put(one, 60, 50, 240);
  const second = put(two, 340, 200, 220);
  const bytes = async (surface) => [...new Uint8Array(await (await surface.convertToBlob()).arrayBuffer())];
  const alone = new OffscreenCanvas(two.width, two.height);
  alone.getContext("2d").drawImage(two, 0, 0);
  return { bytes: await bytes(canvas), single: await bytes(alone), width: 640, height: 420, second };
}

function drop(bytes) {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "words.png", { type: "image/png" }));
  const target = document.getElementById("drop");
  target.dispatchEvent(new DragEvent("dragover", { dataTransfer: data, bubbles: true, cancelable: true }));
  target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}

function paste(bytes) {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}

async function answerTo({ bytes, region }) {
  const { ScriptIdentifier } = await import("scriptkd");
  const identifier = await ScriptIdentifier.load("student.onnx", { wasmPaths: new URL("ort/", location.href) });
  return identifier.identify(new Blob([new Uint8Array(bytes)]), { region });
}

// --- hands

async function dragByMouse(page, context, [from, to]) {
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move((from[0] + to[0]) / 2, to[1], { steps: 4 });
  await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
}

async function dragByTouch(page, context, [from, to]) {
  const session = await context.newCDPSession(page);
  const touch = (type, ...points) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  await touch("touchStart", from);
  for (let i = 1; i <= 5; i++) await touch("touchMove", from.map((value, axis) => value + ((to[axis] - value) * i) / 5));
  await touch("touchEnd");
}
