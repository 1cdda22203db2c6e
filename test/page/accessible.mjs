// What axe finds.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// accessible wants axe to find nothing, in light and in dark.
export async function accessible(page, what) {
  await page.evaluate(axe);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    const { violations, passes } = await page.evaluate(() => axe.run());
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
    assert.deepEqual(found, [], `${what}, ${scheme}`);
    assert(passes.some((p) => p.id === 'color-contrast'), `${what}, ${scheme}: colours were not looked at`);
  }
  console.log(`${what}: axe finds nothing, in light and in dark`);
}
