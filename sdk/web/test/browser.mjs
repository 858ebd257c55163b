// Headless Chromium on the built page, for the tests.

import { readFile } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, out } from "../build.mjs";
import { serve } from "../serve.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
export const shots = join(root, "build", "web-screenshots");

/** Milliseconds that a page may take, on a machine that has much else to do. */
export const PATIENCE = 240_000;

/** The screens that the page is tried on: options of a browser's context. */
export const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" },
};

/** Builds and serves the page and starts a browser: `{ browser, url, close }`. */
export async function start() {
  await build();
  const server = await serve(out);
  const browser = await launch();
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { browser, url: server.url, close };
}

/** Headless Chromium. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Lets a page fetch golden vectors, models and samples from the repository. */
export async function serveRepository(page) {
  await page.route(/\/(sdk|samples)\//, async (route) => {
    const path = join(root, decodeURIComponent(new URL(route.request().url()).pathname));
    const body = await readFile(path).catch(() => null);
    await route.fulfill(body === null ? { status: 404 } : { body, contentType: TYPES[extname(path)] ?? "application/octet-stream" });
  });
}

const TYPES = { ".png": "image/png", ".jpg": "image/jpeg", ".json": "application/json" };
