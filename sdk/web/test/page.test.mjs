// A person's path through the page, at phone and desktop size, with screenshots in build/web-screenshots.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PATIENCE, SIZES, root, serveRepository, shots, start } from "./browser.mjs";

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
    page.setDefaultTimeout(PATIENCE);
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
    await page.locator("#file").setInputFiles({ name: "drawing.svg", mimeType: "image/svg+xml", buffer: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>") });
    await page.getByText("drawing.svg: an SVG drawing, which has no pixels of its own; save it as PNG").waitFor();
    await page.locator("#file").setInputFiles({ name: "photo.heic", mimeType: "image/heic", buffer: Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic", "latin1") });
    await page.getByText("photo.heic: a HEIC image that this browser does not read; save it as JPEG or PNG").waitFor();

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

for (const [size, options] of Object.entries(SIZES)) {
  test(`the view is turned upright, ${size}`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const crashes = [];
    page.on("pageerror", (error) => crashes.push(String(error)));
    await serveRepository(page);
    const model = await readFile(join(root, "sdk/web/test/models/any-crop.onnx"));
    await page.route("**/student.onnx", (route) => route.fulfill({ body: model }));
    const shoot = (name) => page.screenshot({ path: join(shots, `${size}-${name}.png`), fullPage: true });
    const press = (name) => page.getByRole("button", { name })[options.hasTouch ? "tap" : "click"]();
    await page.goto(url);
    await page.getByText("Ready. Choose a picture.").waitFor();

    for (const [degrees, wayUp] of [[180, "upside down"], [90, "turned clockwise by 90°"]]) {
      const picture = await page.evaluate(drawTurned, degrees);
      await page.evaluate(drop, picture.bytes);
      await page.getByText(wayUp, { exact: true }).waitFor();
      assert.match(await page.getByRole("status").innerText(), new RegExp(`^Latin, [0-9.]+ %, ${wayUp}$`));
      assert.equal(await page.evaluate(darkSide), degrees);
      await shoot(`5-turned-by-${degrees}`);

      await press("Turn upright");
      assert.equal(await page.evaluate(darkSide), 0);
      assert.equal(await page.locator("#orientation").innerText(), wayUp, "of the picture, not of the view");
      await shoot(`6-turned-upright-from-${degrees}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));

      // In the turned view a box is drawn where the finger is, and its numbers are the picture's.
      const area = await page.locator("#canvas").boundingBox();
      const [width, height] = [360, 150]; // of the word, upright
      const [left, top, right, bottom] = [60, 30, 240, 120];
      const corners = [[left, top], [right, bottom]].map(([x, y]) => [area.x + (x * area.width) / width, area.y + (y * area.height) / height]);
      const before = await page.locator("#box").innerText();
      await (options.hasTouch ? dragByTouch : dragByMouse)(page, context, corners);
      await page.waitForFunction((text) => document.getElementById("box").textContent !== text, before);
      const numbers = async () => (await page.locator("#box").innerText()).match(/\d+/g).map(Number);
      const expected =
        degrees === 180
          ? [right - left, bottom - top, width - right, height - bottom]
          : [bottom - top, right - left, height - bottom, left];
      const found = await numbers();
      found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) <= 3, `${degrees}: ${found}, not ${expected}`));

      // An arrow key moves the box where it points on the screen.
      await page.locator("#canvas").focus();
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction((text) => document.getElementById("box").textContent !== text, `${found[0]} × ${found[1]} pixels at ${found[2]}, ${found[3]}`);
      const [, , x, y] = await numbers();
      assert.deepEqual([Math.sign(x - found[2]), Math.sign(y - found[3])], degrees === 180 ? [-1, 0] : [0, 1]);

      await press("Whole picture");
      await page.waitForFunction((text) => document.getElementById("box").textContent === text, before);
      await press("Turn back");
      assert.equal(await page.evaluate(darkSide), degrees);
    }

    // An upright picture has nothing to turn, and the next picture is shown as it is.
    await press("Turn upright");
    const picture = await page.evaluate(drawTurned, 0);
    await page.evaluate(drop, picture.bytes);
    await page.getByText("upright", { exact: true }).waitFor();
    assert.equal(await page.evaluate(darkSide), 0);
    assert.ok(await page.locator("#turn").isHidden());
    assert.deepEqual(crashes, []);
    await context.close();
  });
}

test("keys are let rest before the box is asked about, and one answer is on its way at a time", async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.addInitScript(() => {
    window.flight = { asked: 0, most: 0, open: 0 };
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.method === "identify") {
        flight.asked++;
        flight.most = Math.max(flight.most, ++flight.open);
        this.addEventListener("message", ({ data }) => data.id === message.id && flight.open--);
      }
      return post.call(this, message, ...rest);
    };
  });
  await page.goto(url);
  await page.getByText("Ready. Choose a picture.").waitFor();
  await page.locator("#file").setInputFiles(join(root, "samples/kannada-0.jpg"));
  await page.locator("#bars li").nth(2).waitFor();
  const before = await page.evaluate(() => flight.asked);
  assert.equal(before, 1);
  await page.evaluate(() => {
    const press = (key, shiftKey) => document.getElementById("canvas").dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
    for (let i = 0; i < 10; i++) press("ArrowLeft", true); // one after the other, as when a key is held down
    for (let i = 0; i < 5; i++) press("ArrowRight", false);
    for (let i = 0; i < 5; i++) document.getElementById("whole").click(); // and whoever clicks is not made to wait
  });
  await page.waitForFunction((count) => flight.asked > count && flight.open === 0, before);
  await page.waitForTimeout(500); // longer than the pause after a key
  const found = await page.evaluate(() => ({ ...flight, box: document.getElementById("box").textContent }));
  assert.equal(found.most, 1);
  assert.ok(found.asked - before <= 2, `${found.asked - before} questions for twenty changes`);
  assert.match(found.box, /at 0, 0$/);
  await page.close();
});

const refused = (name) => readFile(join(root, "sdk/contract/golden/refused", name));
const BAD_MODELS = {
  missing: [async () => ({ status: 404 }), /^student\.onnx: no such model file/],
  "not a model": [async () => ({ body: await refused("text.onnx") }), /^student\.onnx: /],
  "of a newer version": [async () => ({ body: await refused("newer-format.onnx") }), /^student\.onnx: its format is 99/],
};
for (const [name, [answer, sentence]] of Object.entries(BAD_MODELS)) {
  test(`a model that is ${name}: the page says so and goes on`, async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
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

/** A word with a dark bar above it, turned clockwise: bytes of a PNG file. The darkest side is up to the tests' model. */
async function drawTurned(degrees) {
  const word = await createImageBitmap(await (await fetch("/samples/latin-0.jpg")).blob());
  const [width, height] = degrees % 180 ? [150, 360] : [360, 150];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.translate(width / 2, height / 2);
  context.rotate((degrees * Math.PI) / 180);
  context.translate(-180, -75);
  context.fillStyle = "#787878";
  context.fillRect(0, 0, 360, 150);
  context.globalAlpha = 0.5;
  context.drawImage(word, 20, 40, 320, 90);
  context.globalAlpha = 1;
  for (let x = 0; x < 360; x += 10) {
    context.fillStyle = x % 20 ? "#000" : "#2c2c2c"; // not plain, so that it is no margin
    context.fillRect(x, 0, 10, 25);
  }
  return { bytes: [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())] };
}

/** On which side of the canvas the dark bar lies, in degrees clockwise from above. */
function darkSide() {
  const canvas = document.getElementById("canvas");
  const level = (x, y) => canvas.getContext("2d").getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data[0];
  const sides = { 0: level(0.5, 0.08), 90: level(0.92, 0.5), 180: level(0.5, 0.92), 270: level(0.08, 0.5) };
  return Number(Object.keys(sides).sort((a, b) => sides[a] - sides[b])[0]);
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
  const identifier = await ScriptIdentifier.load("student.onnx", { runtime: "ort/ort.wasm.min.mjs" });
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
