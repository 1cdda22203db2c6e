// What pages ask for, and what they say to the console.
import assert from 'node:assert/strict';

const faults = [];

// heard listens to a page, which may ask its own origin only.
export function heard(page, origin) {
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) faults.push(`${origin} asks for ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.text().includes('status of 401')) return; // the browser says so of what wants a token
    if (message.type() === 'error' || message.type() === 'warn') faults.push(`${origin} says: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`${origin}: ${error.message}`));
  page.evaluateOnNewDocument(() => {
    addEventListener('securitypolicyviolation', (e) => console.error(`${e.violatedDirective} forbids ${e.blockedURI}`));
  });
}

// clean wants that there was nothing to hear.
export function clean() {
  assert.deepEqual(faults, []);
  console.log('nothing was asked of others, and no policy violated');
}
