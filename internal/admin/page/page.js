// The page is drawn from /status.json and /history.json alone, whatever the role: what is
// one value is a line, what is a list of things a table. All text goes in as text.
"use strict";

const every = 1000; // ms between questions
const patience = 7000; // ms that an answer may take: a node that is stuck says so after 5 s
const remembered = 120; // values of a number that are plotted beside it
const byId = (id) => document.getElementById(id);

let token = ""; // kept in memory only
let answered = null; // when the last answer came
let ahead = 0; // ms by which the node's clock is ahead of ours
const seen = new Map(); // numbers, by where they are

// make makes an element with text or elements in it.
function make(name, ...inside) {
  const e = document.createElement(name);
  e.append(...inside);
  return e;
}

const words = (key) => key.replaceAll("_", " ");
const isTime = (v) => typeof v === "string" && /^\d{4}-\d\d-\d\dT/.test(v);
const isThing = (v) => v !== null && typeof v === "object";

// span is a length of time in words.
function span(seconds) {
  if (seconds < 120) return Math.round(seconds) + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  if (seconds < 172800) return Math.round(seconds / 3600) + " h";
  return Math.round(seconds / 86400) + " days";
}

// left is how many seconds there are until a time of the node's clock.
const left = (time) => (new Date(time) - Date.now() - ahead) / 1000;

// since says from when something is so, and for how long.
const since = (time) => `since ${new Date(time).toLocaleTimeString()}, ${span(Math.max(0, -left(time)))}`;

function say(v) {
  if (v === null || v === "") return "none";
  if (v === true) return "yes";
  if (v === false) return "no";
  if (Array.isArray(v)) return v.length ? v.map(say).join(", ") : "none";
  if (isThing(v)) return Object.entries(v).map(([k, w]) => words(k) + " " + say(w)).join(", ") || "none";
  if (!isTime(v)) return String(v);
  return left(v) >= 0 ? "in " + span(left(v)) : span(-left(v)) + " ago";
}

function remember(path, v) {
  if (!seen.has(path)) seen.set(path, []);
  const all = seen.get(path);
  all.push(v);
  if (all.length > remembered) all.shift();
}

// rememberAll notes the numbers of an answer.
function rememberAll(path, v) {
  if (typeof v === "number") remember(path, v);
  else if (isThing(v)) for (const [k, w] of Object.entries(v)) rememberAll(path + "/" + (isThing(w) && w.name || k), w);
}

// spark draws how a number was; one that never changed needs none.
function spark(path) {
  const all = seen.get(path) || [];
  const low = Math.min(...all), high = Math.max(...all);
  if (low === high || all.length < 2) return "";
  const line = shape("polyline", { points: all.map((v, i) => `${remembered - all.length + i},${19 - 18 * (v - low) / (high - low)}`).join(" ") });
  const label = `from ${low} to ${high} while this page was open`;
  return shape("svg", { class: "spark", viewBox: `0 0 ${remembered} 20`, preserveAspectRatio: "none", role: "img", "aria-label": label }, line);
}

const areThings = (v) => Array.isArray(v) && v.length > 0 && isThing(v[0]);

// cell is what there is to show of a value within a line or a table.
function cell(path, v) {
  if (areThings(v)) return [make("ul", ...v.map((thing) => make("li", say(thing))))];
  return typeof v === "number" ? [String(v), spark(path)] : [say(v)];
}

// table has a row for each of a list of things.
function table(path, list, keys) {
  const head = make("tr", ...keys.map((k) => {
    const th = make("th", words(k));
    th.scope = "col";
    return th;
  }));
  const rows = list.map((thing, i) => make("tr", ...keys.map((k) => {
    const td = make("td", make("span", ...cell(`${path}/${thing.name || i}/${k}`, thing[k])));
    td.dataset.label = words(k);
    td.className = td.textContent.length > 24 ? "long" : "";
    return td;
  })));
  return make("table", make("thead", head), make("tbody", ...rows));
}

// cards are things that have too many parts for a table.
function cards(path, list) {
  const all = make("div", ...list.map((thing, i) => {
    const { name = String(i + 1), ...rest } = thing;
    return make("div", make("h3", name), lines(`${path}/${name}`, rest));
  }));
  all.className = "cards";
  return all;
}

function many(path, list) {
  const keys = [...new Set(list.flatMap(Object.keys))];
  return keys.length > 8 ? cards(path, list) : table(path, list, keys);
}

function lines(path, thing) {
  return make("dl", ...Object.entries(thing).flatMap(([k, v]) => [make("dt", words(k)), make("dd", ...cell(`${path}/${k}`, v))]));
}

// things draws an object: its values first, then what has parts of its own.
function things(path, thing) {
  const values = {}, rest = [];
  for (const [k, v] of Object.entries(thing)) {
    const here = path + "/" + k;
    if (areThings(v)) rest.push(make("h2", words(k)), many(here, v));
    else if (isThing(v) && !Array.isArray(v) && Object.values(v).some(isThing)) rest.push(make("h2", words(k)), ...things(here, v));
    else values[k] = v;
  }
  return Object.keys(values).length ? [lines(path, values), ...rest] : rest;
}

function check(c) {
  const [mark, kind, meaning] = c.ok ? ["+", "good", "well"] : c.advisory ? ["!", "warn", "wrong"] : ["-", "bad", "not ready"];
  const b = make("b", `[${mark}] `);
  b.className = kind;
  b.title = meaning;
  return make("li", b, `${c.name}: ${c.text}`, c.since ? ` (${since(c.since)})` : "");
}

function verdict(text, kind) {
  const p = byId("ready");
  if (p.textContent !== text) p.textContent = text; // a reader says it when it changes
  p.className = kind;
}

function draw(report) {
  ahead = new Date(report.at) - Date.now();
  rememberAll("", report.status);
  const name = `${report.role} ${report.name}`.trim();
  document.title = `${report.ready ? "" : "! "}${name} - Onelease`;
  byId("title").textContent = name;
  verdict(report.ready ? "Ready" : "NOT READY", report.ready ? "good" : "bad");
  byId("since").textContent = report.ready ? "" : since(report.not_ready_since);
  byId("check-list").replaceChildren(...report.checks.map(check));
  byId("status").replaceChildren(make("h2", "Status"), ...things("", report.status));
  byId("ask").hidden = true;
  byId("checks").hidden = byId("history").hidden = false;
}

function askToken() {
  byId("refused").textContent = token ? "That is not the token of this node." : "";
  token = "";
  byId("ask").hidden = false;
  byId("checks").hidden = byId("history").hidden = true;
  byId("check-list").replaceChildren();
  byId("status").replaceChildren();
  byId("charts").replaceChildren();
  byId("since").textContent = "";
  verdict("Locked", "warn");
}

// ask returns what the node answers, null if it wants its token.
async function ask(path) {
  const headers = token ? { Authorization: "Bearer " + token } : {};
  const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(patience) });
  if (answer.status === 401) return askToken(), null;
  if (!answer.ok) throw new Error(`it answers ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function look() {
  const report = await ask("status.json");
  if (!report) return;
  draw(report);
  answered = new Date();
  byId("age").textContent = `as of ${answered.toLocaleTimeString()}`;
  await lookBack();
}

async function go() {
  try {
    if (byId("ask").hidden || token) await look();
  } catch (err) {
    verdict("NO ANSWER", "bad");
    byId("since").textContent = "";
    byId("age").textContent = answered ? `below is how it was at ${answered.toLocaleTimeString()}; ${err.message}` : err.message;
  }
  setTimeout(go, every);
}

byId("ask").addEventListener("submit", (e) => {
  e.preventDefault();
  token = byId("token").value.trim();
  byId("token").value = "";
});
addEventListener("DOMContentLoaded", go);
