// How a page looks on a small phone, and on a desk.
import assert from 'node:assert/strict';

// measured runs in the page: what does not fit, is cut off, or is too small to read.
function measured(phone) {
  const faults = [];
  const broken = (e) => {
    const range = document.createRange();
    range.selectNodeContents(document.createTreeWalker(e, NodeFilter.SHOW_TEXT).nextNode());
    return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size > 1;
  };
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) faults.push(`it is ${root.scrollWidth} px wide`);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!box.width || !box.height || style.visibility === 'hidden' || e.closest('thead')) continue;
    const name = `${e.tagName} ${e.className.baseVal ?? e.className} ${e.textContent.slice(0, 40)}`;
    if (box.right > innerWidth + 0.5 || box.left < -0.5) faults.push(`${name} is from ${box.left} to ${box.right} px`);
    if (style.overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1) faults.push(`${name} is cut off`);
    if (['TH', 'TD', 'DT', 'DD'].includes(e.tagName) && /^\S{1,14}$/.test(e.textContent) && broken(e)) faults.push(`${name} is broken within a word`);
    const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    if (text && parseFloat(style.fontSize) < 12) faults.push(`${name} is written in ${style.fontSize}`);
    if (e.tagName === 'text' && (box.left < e.ownerSVGElement.getBoundingClientRect().left - 0.5 || box.right > e.ownerSVGElement.getBoundingClientRect().right + 0.5)) faults.push(`${name} is cut off by its chart`);
    if (phone && e.tagName === 'TD' && !getComputedStyle(e, '::before').content.includes(e.dataset.label)) faults.push(`${name} does not say what it is`);
  }
  return faults;
}

// narrow wants a page to be readable at 360 x 640, and then makes it wide again.
export async function narrow(page, what) {
  await page.setViewport({ width: 360, height: 640, isMobile: true, hasTouch: true });
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')].every((c) => c.clientWidth <= 360), { timeout: 5000 });
  const phone = await page.evaluate(measured, true);
  await page.setViewport({ width: 1280, height: 800 });
  const wide = await page.evaluate(measured, false);
  assert.deepEqual(phone, [], `${what}, at 360 x 640`);
  assert.deepEqual(wide, [], `${what}, at 1280 x 800`);
  console.log(`${what}: all is readable at 360 x 640, and at 1280 x 800`);
}
