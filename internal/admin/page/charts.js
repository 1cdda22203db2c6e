// The history, drawn from /history.json: a chart has axes, a line for each of its lines, and
// a legend that says in words what the lines show.
"use strict";

const again = 15000; // ms between questions for the history; a third while it is short
const inks = 6; // colours that page.css has for lines, and as many strokes
const tall = 130, head = 8, foot = 18, side = 46, end = 10; // of a chart, px

let past = null; // the last history
let asked = 0; // when it was

// shape makes an element of a drawing.
function shape(name, attributes, ...inside) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...inside);
  return e;
}

// short is a number in at most three digits.
function short(v) {
  const [by, unit] = v >= 1e9 ? [1e9, " G"] : v >= 1e6 ? [1e6, " M"] : v >= 1e3 ? [1e3, " k"] : [1, ""];
  return Number((v / by).toPrecision(3)) + unit;
}

// ceiling is the least of 1, 2, 5, 10, 20 and so on that v is not above.
function ceiling(v) {
  const ten = 10 ** Math.floor(Math.log10(v || 1));
  return Math.max(1, [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= v));
}

// longest is how many points are drawn: not many more than there are while a node is young.
function longest() {
  const most = Math.max(...past.charts.flatMap((chart) => chart.lines.map((line) => line.points.length)));
  return [12, 6, 2].map((n) => past.points / n).find((n) => n >= most) ?? past.points;
}

// stroke is the class of a line: no two of 36 look the same, whether or not colours are seen.
const stroke = (i) => `ink ink-${i % inks} dash-${(i + Math.floor(i / inks)) % inks}`;

const known = (line) => line.points.filter((v) => v !== null);
const latest = (line) => line.points.findLast((v) => v !== null);
const counts = (chart) => chart.kind === "count" || chart.kind === "changes";

// sum says what a line of a chart shows.
function sum(chart, line) {
  if (counts(chart)) return `${short(known(line).reduce((a, v) => a + v, 0))} in all`;
  return `lately ${short(latest(line))}, ${short(Math.min(...known(line)))} to ${short(Math.max(...known(line)))}`;
}

// trace is a line as a path: a curve that has gaps where nothing is known, or a bar for each
// count.
function trace(chart, line, x, y) {
  let path = "", pen = false;
  line.points.forEach((v, i) => {
    if (v === null || counts(chart) && v === 0) return void (pen = false);
    if (counts(chart)) path += `M${x(i)} ${y(0)}V${y(v)}`;
    else path += `${pen ? "L" : "M"}${x(i)} ${y(v)}${pen ? "" : "h.1"}`;
    pen = true;
  });
  return path;
}

// axes are the frame with its numbers and times.
function axes(top, seconds, wide) {
  const text = (x, y, anchor, words) => shape("text", { x, y, "text-anchor": anchor }, words);
  const grid = (y) => shape("path", { class: "grid", d: `M${side} ${y}H${wide - end}` });
  const low = tall - foot, middle = (head + low) / 2;
  return [
    grid(head), grid(middle), grid(low),
    text(side - 5, head + 4, "end", short(top)), text(side - 5, middle + 4, "end", short(top / 2)), text(side - 5, low + 4, "end", "0"),
    text(side, tall - 3, "start", span(seconds) + " ago"), text((side + wide - end) / 2, tall - 3, "middle", span(seconds / 2)), text(wide - end, tall - 3, "end", "now"),
  ];
}

// plot draws a chart as wide as there is room.
function plot(chart, wide) {
  const count = longest();
  const top = ceiling(Math.max(...chart.lines.flatMap(known)));
  const low = tall - foot, room = wide - side - end;
  const x = (line) => (i) => (side + room * (count - line.points.length + i + 1) / count).toFixed(1);
  const y = (v) => (low - (low - head) * v / top).toFixed(1);
  const lines = chart.lines.map((line, i) => shape("path", { class: stroke(i), d: trace(chart, line, x(line), y) }));
  const label = `${chart.title}: ${chart.lines.map((line) => `${line.name} ${sum(chart, line)}`).join("; ")}`;
  return shape("svg", { class: "chart", viewBox: `0 0 ${wide} ${tall}`, width: wide, height: tall, role: "img", "aria-label": label },
    ...axes(top, past.step_seconds * count, wide), ...lines);
}

function legend(chart) {
  return make("ul", ...chart.lines.map((line, i) => {
    const mark = shape("svg", { class: "mark", viewBox: "0 0 24 8", "aria-hidden": "true" }, shape("path", { class: stroke(i), d: "M0 4H24" }));
    return make("li", mark, make("span", line.name ? `${line.name}: ` : "", sum(chart, line)));
  }));
}

function drawPast() {
  const room = byId("charts");
  if (!past || !room.clientWidth) return;
  const columns = Math.max(1, Math.floor(room.clientWidth / 400));
  const wide = Math.floor((room.clientWidth - 16 * (columns - 1)) / columns);
  room.replaceChildren(...past.charts.map((chart) => {
    const per = counts(chart) ? ` in ${span(past.step_seconds)}` : "";
    return make("figure", make("figcaption", make("b", chart.title), ` (${chart.unit}${per})`), plot(chart, wide), legend(chart));
  }));
  byId("no-charts").hidden = past.charts.length > 0;
  byId("truncated").hidden = !past.truncated;
}

// lookBack asks for the history, if it is time.
async function lookBack() {
  if (Date.now() - asked < (past && longest() > 60 ? again : again / 3)) return;
  const of = document.querySelector("input[name=span]:checked").value;
  const answer = await ask("history.json?span=" + of);
  if (!answer) return;
  [past, asked] = [answer, Date.now()];
  drawPast();
}

for (const choice of document.querySelectorAll("input[name=span]")) choice.addEventListener("change", () => { asked = 0; });
addEventListener("resize", drawPast);
