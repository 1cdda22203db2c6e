// A node that wants a token tells nothing without.
import assert from 'node:assert/strict';
import { accessible } from './accessible.mjs';
import { narrow } from './narrow.mjs';
import { heard } from './traffic.mjs';

const paths = ['metrics', 'livez', 'readyz', 'status.json', 'history.json', 'history.json?span=day', 'debug/pprof/', 'debug/pprof/goroutine?debug=2', 'debug/pprof/cmdline', 'debug/pprof/profile'];

// secret looks without the token, with a wrong one, and with the right one.
export async function secret(browser, until, { locked }) {
  let page = await browser.newPage();
  const seen = []; // all that the browser got, or said
  page.on('response', async (r) => seen.push(JSON.stringify(r.headers()), await r.text().catch(() => '')));
  page.on('console', (m) => seen.push(m.text()));
  await page.goto(locked.url);
  await until(page, 'wants its token');
  for (const path of paths) {
    const [code, text] = await page.evaluate(async (path) => {
      const answer = await fetch(path);
      return [answer.status, await answer.text()];
    }, path);
    assert.equal(code, 401, path);
    seen.push(text);
  }
  await enter(page, 'x'.repeat(locked.token.length));
  await until(page, 'That is not the token');
  seen.push(await page.content());
  for (const word of [...locked.secrets, locked.token]) assert(!seen.join().includes(word), `without the token there is ${word}`);

  await page.close();

  page = await browser.newPage();
  heard(page, new URL(locked.url).origin);
  await page.goto(locked.url);
  await until(page, 'wants its token');
  await accessible(page, 'a page that wants a token');
  await narrow(page, 'a page that wants a token');
  await enter(page, locked.token);
  await until(page, locked.shows);
  const kept = await page.evaluate(() => [location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.documentElement.outerHTML].join());
  assert(!kept.includes(locked.token), 'the page keeps the token where others may find it');
  await page.reload();
  await until(page, 'wants its token');
  await page.close();
  console.log(`without the token, and with a wrong one, ${paths.length} paths and the page tell nothing; with it the page does`);
}

async function enter(page, token) {
  await page.waitForSelector('#token', { visible: true });
  await page.type('#token', token);
  await page.click('#ask button');
}
