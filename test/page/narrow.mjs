// How a page looks on a small phone.
import assert from 'node:assert/strict';

// measured runs in the page: what does not fit, is cut off, or is too small to read.
function measured() {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`it is ${root.scrollWidth} px wide`);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!box.width || !box.height || style.visibility === 'hidden' || e.closest('thead')) continue;
    const name = `${e.tagName} ${e.className.baseVal ?? e.className} ${e.textContent.slice(0, 40)}`;
    if (box.right > innerWidth + 0.5 || box.left < -0.5) faults.push(`${name} is from ${box.left} to ${box.right} px`);
    if (style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) faults.push(`${name} is cut off`);
    const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    if (text && parseFloat(style.fontSize) < 12) faults.push(`${name} is written in ${style.fontSize}`);
    if (e.tagName === 'text' && (box.left < e.ownerSVGElement.getBoundingClientRect().left - 0.5 || box.right > e.ownerSVGElement.getBoundingClientRect().right + 0.5)) faults.push(`${name} is cut off by its chart`);
    if (e.tagName === 'TD' && !getComputedStyle(e, '::before').content.includes(e.dataset.label)) faults.push(`${name} does not say what it is`);
  }
  return faults;
}

// narrow wants a page to be readable at 360 x 640, and then makes it wide again.
export async function narrow(page, what) {
  await page.setViewport({ width: 360, height: 640, isMobile: true, hasTouch: true });
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')].every((c) => c.clientWidth <= 360), { timeout: 5000 });
  const phone = await page.evaluate(measured);
  await page.setViewport({ width: 1280, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.deepEqual(phone, [], what);
  assert(wide, `${what}: wider than 1280 px`);
  console.log(`${what}: all is readable at 360 x 640`);
}
