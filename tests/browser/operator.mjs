// One operator's shift in a real browser: sign in, find a parked dossier, understand it, dry run, ask for a replay, have
// it approved by another person, see it delivered. Then what must not work, and every page in both languages.
//
// Usage: node operator.mjs SETTINGS.json; prints one JSON object of what it saw, and fails with a sentence.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { axeFindings, launch, reader, watch } from "./browser.mjs";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const { base, dossier, message, accounts, screenshots } = settings;
const problems = [];
const seen = {};

const PAGES = {
  overview: "/", queues: "/queues", destinations: "/destinations", destination: "/destinations/dvcqg", parked: "/parked",
  "dry-run": "/parked/check?kind=replay&destination=dvcqg", operations: "/operations", operation: "/operations/1",
  "dossier-search": "/dossiers", dossier: `/dossiers/${dossier}`, participants: "/participants", usage: "/usage",
  actions: "/actions", reports: "/reports", missing: "/no-such-page",
};

async function open(context) {
  const page = await context.newPage();
  watch(page, base, problems);
  return page;
}

async function signIn(page, { name, password }) {
  await page.goto(base);
  await page.getByLabel(/Tên đăng nhập|^Name$/).fill(name);
  await page.getByLabel(/Mật khẩu|Password/).fill(password);
  await page.getByRole("button", { name: /^(Đăng nhập|Sign in)$/ }).click();
  await page.waitForURL(`${base}/`);
}

/** From the sign-in to an operation that awaits approval, by what the pages say alone. */
async function askForReplay(page) {
  await signIn(page, accounts.operator);
  await page.locator("a[href*='/parked']").filter({ visible: true }).first().click();
  await page.waitForURL(/\/parked/);
  // The cause, in the portal's own words, is on the dossier's page.
  await page.getByRole("link", { name: dossier }).first().click();
  await page.waitForURL(/\/dossiers\//);
  assert.match(await page.locator("main").innerText(), new RegExp(message), "the dossier's page tells the portal's words");
  await page.getByRole("link", { name: "Chạy thử chuyển lại" }).first().click();
  await page.waitForURL(/\/parked\/check/);
  await page.getByLabel("Lý do").fill("Cổng đã sửa danh mục thủ tục");
  await page.getByRole("button", { name: "Xem lại và xác nhận" }).click();
  // A double click: the second finds the button off, or the operation's key makes it nothing new.
  await page.getByRole("button", { name: "Gửi đề nghị chuyển lại" }).dblclick();
  await page.waitForURL(/\/operations\/\d+$/);
  assert.match(await page.locator("main").innerText(), /phê duyệt/i, "the operation's page says that it awaits approval");
  return page.url();
}

/** The approver's part; the requester's page shows the end by itself, without a reload. */
async function approve(browser, operation, waiting) {
  const context = await reader(browser);
  const page = await open(context);
  await signIn(page, accounts.approver);
  await page.goto(operation);
  await page.getByLabel("Lý do").first().fill("Đã kiểm tra với cổng");
  await page.getByRole("button", { name: "Phê duyệt" }).click();
  await waiting.getByText(/Đã xong|Hoàn tất|đã xử lý xong/i).first().waitFor();
  await page.goto(`${base}/dossiers/${dossier}`);
  await page.getByText(/đã gửi|đã nhận|Đã chuyển/i).first().waitFor();
  await context.close();
}

async function operationsCount(page) {
  await page.goto(`${base}/operations`);
  return page.locator("main a[href^='/operations/']").evaluateAll((links) => new Set(links.map((link) => link.href)).size);
}

/** A viewer sees, and cannot act: not by a button, not by hand. */
async function viewerIsRefused(browser) {
  const context = await reader(browser);
  const page = await open(context);
  await signIn(page, accounts.viewer);
  await page.goto(`${base}/destinations/dvcqg`);
  assert.equal(await page.locator("form[action$='/pause']").count(), 0, "a viewer finds no form to pause");
  const status = await page.evaluate(async () => {
    const csrf = document.querySelector("input[name=csrf]").value;
    const body = new URLSearchParams({ csrf, reason: "by hand" });
    return (await fetch("/destinations/dvcqg/pause", { method: "POST", body, redirect: "manual" })).status;
  });
  assert.equal(status, 403, "a viewer's form made by hand is refused");
  await context.close();
}

/** Forms without the token, with another session's, and from another site change nothing. */
async function forgeriesAreRefused(browser, page) {
  await page.goto(`${base}/destinations/dvcqg`);
  const post = (fields) => page.evaluate(async (given) => {
    const body = new URLSearchParams({ reason: "forged", ...given });
    return (await fetch("/destinations/dvcqg/pause", { method: "POST", body, redirect: "manual" })).status;
  }, fields);
  assert.equal(await post({}), 403, "a form without the token");
  assert.equal(await post({ csrf: "A".repeat(43) }), 403, "a form with a made-up token");
  // A page of another origin, with the operator signed in: a form that sends itself.
  const other = await page.context().newPage();
  await other.route("http://other.test/", (route) => route.fulfill({
    contentType: "text/html",
    body: `<form method="post" action="${base}/destinations/dvcqg/pause"><input name="reason" value="forged"></form>`,
  }));
  await other.goto("http://other.test/");
  const [answer] = await Promise.all([
    other.waitForResponse((response) => response.url().startsWith(base)),
    other.evaluate(() => document.forms[0].submit()),
  ]);
  assert.ok([401, 403].includes(answer.status()), `a form of another site: ${answer.status()}`);
  await other.close();
}

/** A session chosen by an attacker is not taken over, and one that was signed out is dead. */
async function sessionsAreOnesOwn(browser) {
  const context = await reader(browser);
  const page = await open(context);
  await page.goto(base);
  await signIn(page, accounts.viewer);
  const session = (cookies) => cookies.find(({ name, httpOnly }) => httpOnly && /^(__Host-)?lienthong(-\d+)?$/.test(name));
  const first = session(await context.cookies());
  assert.ok(first, "the session's cookie is out of scripts' reach");
  assert.equal(first.sameSite, "Strict");
  await page.getByRole("button", { name: /Đăng xuất/ }).first().click();
  await page.goto(base);
  assert.match(page.url(), /sign-in/, "signed out");
  await context.addCookies([{ ...first }]);
  await page.goto(base);
  assert.match(page.url(), /sign-in/, "the old session is dead");
  await signIn(page, accounts.viewer);
  const second = session(await context.cookies());
  assert.notEqual(second.value, first.value, "a sign-in makes a new session");
  await context.close();
}

/** Without scripts every page still reads, and a form still works. */
async function readsWithoutScripts(browser) {
  const context = await reader(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, accounts.operator);
  for (const path of Object.values(PAGES)) {
    await page.goto(base + path);
    assert.ok((await page.locator("main").innerText()).length > 20, `${path} reads without scripts`);
  }
  await page.goto(`${base}/destinations/dvcqg`);
  await page.getByLabel("Lý do").fill("bảo trì cổng");
  await page.locator("form[action$='/pause'] button").click();
  await page.goto(`${base}/destinations/dvcqg`);
  await page.getByLabel("Lý do").fill("bảo trì xong");
  await page.locator("form[action$='/resume'] button").click();
  await context.close();
}

/** Tab from the top: the skip link comes first, and everything focused is seen. */
async function keyboardReaches(page) {
  await page.goto(base);
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.getAttribute("href"));
  assert.match(first ?? "", /^#/, "the first stop of Tab skips to the content");
  for (let stop = 0; stop < 25; stop += 1) {
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => {
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
      return document.activeElement === document.body || outlineStyle !== "none" || boxShadow !== "none";
    });
    assert.ok(outline, "what has the focus shows it");
  }
}

/** How far the page sticks out of its window, in pixels. */
const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Each page in each language and colour: axe-core finds nothing serious, nothing sticks out; a picture of each. */
async function everyPage(browser) {
  mkdirSync(screenshots, { recursive: true });
  const findings = [];
  for (const language of ["vi", "en"]) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await reader(browser, { locale: language === "vi" ? "vi-VN" : "en-GB", colorScheme });
      const page = await open(context);
      const look = async (name) => {
        findings.push(...(await axeFindings(page)).map((finding) => `${name} ${language} ${colorScheme}: ${finding}`));
        const wide = await overhang(page);
        if (wide > 0) findings.push(`${name} ${language}: ${wide} px wider than its window`);
        if (colorScheme === "light") await page.screenshot({ path: join(screenshots, `${name}.${language}.png`), fullPage: true });
      };
      await page.goto(base);
      await look("sign-in");
      await signIn(page, accounts.approver);
      for (const [name, path] of Object.entries(PAGES)) {
        await page.goto(base + path);
        assert.equal(await page.locator("html").getAttribute("lang"), language, `${path} says its language`);
        await look(name);
      }
      if (colorScheme === "dark" && language === "vi") findings.push(...await smallScreens(page));
      await context.close();
    }
  }
  return findings;
}

/** The same pages on a telephone and on a tablet. */
async function smallScreens(page) {
  const findings = [];
  await page.goto(base);
  await page.screenshot({ path: join(screenshots, "overview.dark.png"), fullPage: true });
  for (const width of [360, 1000]) {
    await page.setViewportSize({ width, height: 740 });
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(base + path);
      const wide = await overhang(page);
      if (wide > 0) findings.push(`${name}: ${wide} px wider than ${width} px`);
    }
  }
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(base);
  await page.screenshot({ path: join(screenshots, "overview.phone.png"), fullPage: true });
  return findings;
}

const { browser, close } = await launch(settings.chromium);
try {
  const shift = await reader(browser);
  const page = await open(shift);
  const operation = await askForReplay(page);
  await approve(browser, operation, page);
  seen.operations = await operationsCount(page);
  await viewerIsRefused(browser);
  await forgeriesAreRefused(browser, page);
  await sessionsAreOnesOwn(browser);
  await readsWithoutScripts(browser);
  await keyboardReaches(page);
  seen.findings = await everyPage(browser);
  seen.problems = problems;
  process.stdout.write(`${JSON.stringify(seen)}\n`);
} finally {
  await close();
}
