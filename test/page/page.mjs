// Looks at the pages of nodes in a headless Chromium.
//
//     node page.mjs CONFIG
//
// CONFIG is JSON: the pages by the names of their roles, each with its url, what it shows
// before and after (lost) a router is killed, and its charts, of which some are busy; and of
// one that wants a token (locked) the token, and what nobody may see without (secrets). When
// it prints "kill" a line is to come by stdin, after the router was killed, with the time of
// that in ms since 1970.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { launch } from 'puppeteer-core';
import { accessible } from './accessible.mjs';
import { narrow } from './narrow.mjs';
import { secret } from './secret.mjs';
import { clean, heard } from './traffic.mjs';

const config = JSON.parse(process.argv[2]);
const browser = await launch({
  executablePath: config.chromium, headless: true, pipe: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-component-update'],
});

// until waits until the page's text has it.
async function until(page, text, timeout = 60_000) {
  try {
    await page.waitForFunction((text) => document.body.innerText.includes(text), { timeout, polling: 20 }, text);
  } catch (cause) {
    throw new Error(`${page.url()} does not show "${text}": ${await page.evaluate(() => document.body.innerText)}`, { cause });
  }
}

// opened is the page of each node, as it shows that all is well.
async function opened() {
  const pages = {};
  for (const [role, { url, shows }] of Object.entries(config.pages)) {
    const page = await browser.newPage();
    heard(page, new URL(url).origin);
    await page.goto(url);
    await until(page, shows);
    pages[role] = page;
  }
  return pages;
}

// looks finds out whether each page is fit for all who look, in light and in dark, and on a
// phone.
async function looks(pages, how) {
  for (const [role, page] of Object.entries(pages)) {
    await page.bringToFront();
    await accessible(page, `${role} ${how}`);
    await narrow(page, `${role} ${how}`);
  }
}

// kills has a router killed, and measures when each page shows it.
async function kills(pages) {
  const lines = createInterface({ input: process.stdin });
  const seen = Object.entries(pages).filter(([role]) => config.pages[role].lost).map(async ([role, page]) => {
    await until(page, config.pages[role].lost);
    return [role, Date.now()];
  });
  console.log('kill');
  const killed = Number((await lines[Symbol.asyncIterator]().next()).value);
  lines.close();
  for (const [role, at] of await Promise.all(seen)) {
    console.log(`${role}: the page shows the router's death ${at - killed} ms after it`);
    assert(at > killed && at - killed <= 2000, `${role} took ${at - killed} ms, more than 2 s`);
  }
}

// plotted is how long all curves of a page are together.
const plotted = (page) => page.$$eval('.chart .ink', (inks) => inks.reduce((sum, ink) => sum + ink.getTotalLength(), 0));

// reloads finds the history again.
async function reloads(pages) {
  for (const [role, page] of Object.entries(pages)) {
    await page.bringToFront();
    await page.waitForSelector('.chart .ink');
    const before = await plotted(page);
    await page.reload();
    await page.waitForSelector('.chart .ink', { timeout: 5000 });
    const after = await plotted(page);
    const charts = await page.$$eval('figcaption b', (titles) => titles.map((t) => t.textContent));
    console.log(`${role}: after a reload ${charts.length} charts: ${charts.join(', ')}`);
    assert(before > 20 && after >= before * 0.9, `${role}: ${before} px of curves, and ${after} after a reload`);
    const texts = await page.$$eval('figure', (all) => all.map((f) => f.innerText));
    for (const title of config.pages[role].busy ?? []) assert(texts.some((t) => t.startsWith(title) && /to [1-9]/.test(t)), `${role}: nothing moves in ${title}`);
    for (const title of config.pages[role].charts) assert(charts.includes(title), `${role}: no chart ${title}`);
  }
}

// chooses has a page show the day, of which there may be nothing yet, and the hour again.
async function chooses(page) {
  const shown = (span) => page.waitForFunction((span) => {
    const none = document.getElementById('no-charts');
    return [...document.querySelectorAll('.chart text')].some((t) => t.textContent.endsWith(span)) || span === ' h ago' && none.offsetParent;
  }, { timeout: 3000 }, span);
  await page.bringToFront();
  await page.click('input[value=day]');
  await shown(' h ago');
  await page.click('input[value=hour]');
  await shown(' min ago');
  console.log('the page shows a day, and an hour');
}

try {
  await secret(browser, until, config);
  const pages = await opened();
  await looks(pages, 'well');
  await kills(pages);
  await looks(pages, 'without a router');
  await reloads(pages);
  await chooses(pages.balancer);
  clean();
} finally {
  await browser.close();
}
