// A real Chromium, and what every scenario needs of it. All addresses are on loopback.
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** Longest wait for anything on a page, in milliseconds. */
const PATIENCE_MS = 20_000;

/** Starts Chromium with a folder of its own; `close` ends it and removes the folder. */
export async function launch(executablePath) {
  const folder = mkdtempSync(join(tmpdir(), "lienthong-browser-"));
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    env: { ...process.env, HOME: folder },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  const close = async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { browser, close };
}

/** A reader of their own: cookies shared with nobody, Vietnamese unless told otherwise. */
export async function reader(browser, options = {}) {
  const context = await browser.newContext({ locale: "vi-VN", viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Fails loudly when a page logs an error, breaks its Content-Security-Policy or asks another host for anything. */
export function watch(page, base, problems) {
  page.on("console", (line) => {
    if (line.type() === "error" && !/status of (4|5)\d\d/.test(line.text())) problems.push(`console: ${line.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) problems.push(`outside: ${request.url()}`);
  });
}

/** Serious and critical findings of axe-core on the page as it stands, one line each. */
export async function axeFindings(page) {
  // The page's own policy forbids injected scripts; evaluate runs beside it, as a debugger does.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target.join(" ")}`));
}
