// Package page has the program that looks at the page of the admin address as people do, in
// a headless Chromium: page.mjs and what it is made of, with puppeteer-core and axe-core from
// npm. TestPage of cmd/onelease runs it against nodes that it starts, and kills a router
// when asked to: "make test-page".
package page
