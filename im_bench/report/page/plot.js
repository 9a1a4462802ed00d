"use strict";
// Draws plots from the data within the page, as wide as each figure is, and again when that changes.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
/** Lines that a plot has at most: page.css has a colour for each. */
const COLOURS = 9;
const number = (value) =>
  value >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : value >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k`
    : `${+value.toPrecision(3)}`;
const used = (line) => line.points.some(([, y]) => y !== null && y !== 0);

/** Round marks between 0 and a value. */
function linearTicks(most) {
  const rough = most / 4 || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** Powers of ten around the values, with 2 and 5 between them where there are few. */
function logTicks(least, most) {
  const from = Math.floor(Math.log10(least)), to = Math.ceil(Math.log10(most) - 1e-9);
  const between = to - from <= 2 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = from; power <= to; power++) for (const factor of between) ticks.push(factor * 10 ** power);
  const first = Math.max(0, ticks.findLastIndex((tick) => tick <= least));
  const last = ticks.findIndex((tick) => tick >= most * (1 - 1e-9));
  return ticks.slice(first, (last < 0 ? ticks.length - 1 : last) + 1);
}

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/**
 * Draws one figure.
 *
 * A plot has `lines` (each a `name`, `points` as [x, y], if it was measured more than once `ranges` as [x, least, most], and
 * the number of its colour as `hue` where that of its place would not be the same in all plots),
 * the `unit` of y, `log` for its scale, `x` for the marks of the other axis, `tell` for the words at a place on it, and perhaps
 * a `span` of x that is shown whether or not it has values, a `band` to set off, a `rim` for a first line that others lie upon, `keep` for lines that are nothing but noughts.
 */
function draw(figure, plot) {
  figure.querySelectorAll("svg, .legend, .tip").forEach((old) => old.remove());
  const lines = plot.lines.filter((line) => plot.keep || used(line)).slice(0, COLOURS)
    .map((line, index) => ({ ...line, colour: `var(--s${line.hue ?? index})` }));
  const values = lines.flatMap((line) => line.points).filter(([, y]) => y !== null);
  figure.hidden = values.length < 2 || !lines.some((line) => line.ranges || line.points.filter(([, y]) => y !== null).length > 1);
  if (figure.hidden) return;
  const caption = figure.querySelector("figcaption");
  caption.innerHTML = `${caption.firstChild.textContent}<small>${plot.unit}${plot.log ? ", logarithmic" : ""}</small>`;
  const legend = document.createElement("div");
  legend.className = "legend";
  legend.append(...lines.map((line) => {
    const label = document.createElement("span");
    label.style.setProperty("--c", line.colour);
    label.textContent = line.name;
    return label;
  }));
  figure.append(legend);

  const style = getComputedStyle(figure);
  const width = figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const height = width < 420 ? 190 : 230, left = 46, right = 14, top = 10, bottom = 26;
  const svg = element("svg", { height, role: "img", "aria-label": caption.firstChild.textContent }, figure);
  const ends = lines.flatMap((line) => (line.ranges ?? []).flatMap(([, least, most]) => [least, most]));
  const xs = values.map(([x]) => x), ys = [...values.map(([, y]) => y), ...ends].filter((y) => !plot.log || y > 0);
  const [low, high] = plot.span ?? [Math.min(...xs), Math.max(...xs)];
  const ticks = plot.log ? logTicks(Math.min(...ys), Math.max(...ys)) : linearTicks(Math.max(...ys));
  const scale = plot.log ? Math.log10 : (y) => y;
  const floor = scale(ticks[0]), ceiling = scale(ticks.at(-1));
  const px = (x) => left + ((x - low) / (high - low || 1)) * (width - left - right);
  const py = (y) => {
    const value = plot.log ? scale(Math.max(y, ticks[0])) : y;
    return height - bottom - ((value - floor) / (ceiling - floor || 1)) * (height - top - bottom);
  };

  if (plot.band) {
    const from = Math.max(low, plot.band.from), to = plot.band.to;
    element("rect", { class: "band", x: px(from), width: px(to) - px(from), y: top, height: height - top - bottom }, svg);
    if (px(to) - px(from) > 90) element("text", { x: px(from) + 6, y: top + 14 }, svg, plot.band.label);
  }
  for (const y of ticks) {
    element("line", { class: "grid", x1: left, x2: width - right, y1: py(y), y2: py(y) }, svg);
    element("text", { x: left - 8, y: py(y) + 4, "text-anchor": "end" }, svg, number(y));
  }
  let free = -Infinity;
  for (const [x, label] of plot.x(low, high, width - left - right)) {
    if (px(x) - free < 46) continue;
    free = px(x);
    const anchor = px(x) > width - 40 ? "end" : "middle";
    element("text", { x: px(x) + (anchor === "end" ? right : 0), y: height - 6, "text-anchor": anchor }, svg, label);
  }
  for (const line of lines) {
    let path = "", pen = "M";
    for (const [x, y] of line.points) {
      if (y === null) { pen = "M"; continue; }
      path += `${pen}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
      pen = "L";
    }
    const width = plot.rim && line === lines[0] ? 6 : 2;
    element("path", { class: "line", d: path, style: `--c:${line.colour}`, "stroke-width": width }, svg);
    for (const [x, least, most] of line.ranges ?? []) {
      element("line", { class: "range", x1: px(x), x2: px(x), y1: py(least), y2: py(most), style: `--c:${line.colour}` }, svg);
    }
    for (const [x, y] of line.ranges ? line.points : []) {
      element("circle", { class: "dot", cx: px(x), cy: py(y), r: 3.5, style: `--c:${line.colour}` }, svg);
    }
  }
  pointAt(figure, svg, { lines, px, py, top, bottom: height - bottom, tell: plot.tell, unit: plot.unit });
}

/** Shows the values where the pointer is. */
function pointAt(figure, svg, { lines, px, py, top, bottom, tell, unit }) {
  const places = [...new Set(lines.flatMap((line) => line.points.filter(([, y]) => y !== null).map(([x]) => x)))];
  const mark = element("g", { visibility: "hidden" }, svg);
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  figure.append(tip);
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect(), at = event.clientX - box.left;
    const x = places.reduce((best, each) => (Math.abs(px(each) - at) < Math.abs(px(best) - at) ? each : best));
    mark.replaceChildren();
    mark.setAttribute("visibility", "visible");
    element("line", { class: "cross", x1: px(x), x2: px(x), y1: top, y2: bottom }, mark);
    const title = document.createElement("b");
    title.textContent = tell(x);
    tip.replaceChildren(title);
    for (const line of lines) {
      const y = line.points.find((point) => point[0] === x)?.[1];
      if (y === undefined || y === null) continue;
      element("circle", { class: "dot", cx: px(x), cy: py(y), r: 4, style: `--c:${line.colour}` }, mark);
      const told = document.createElement("div"), swatch = document.createElement("i"), value = document.createElement("em");
      swatch.style.setProperty("--c", line.colour);
      value.textContent = `${number(y)} ${unit}`;
      told.append(swatch, line.name, value);
      tip.append(told);
    }
    tip.hidden = false;
    const place = figure.getBoundingClientRect();
    const wanted = box.left - place.left + px(x) + 12;
    tip.style.left = `${wanted + tip.offsetWidth > place.width ? Math.max(4, wanted - tip.offsetWidth - 24) : wanted}px`;
    tip.style.top = `${box.top - place.top + top}px`;
  });
  svg.addEventListener("pointerleave", () => {
    mark.setAttribute("visibility", "hidden");
    tip.hidden = true;
  });
}

/** Draws each `figure[data-plot]` with the plot of its name. */
function show(plots) {
  const redraw = () => document.querySelectorAll("figure[data-plot]").forEach((figure) => draw(figure, plots[figure.dataset.plot]));
  let pending = 0, drawnAt = innerWidth;
  redraw();
  addEventListener("resize", () => {
    if (innerWidth === drawnAt) return;
    drawnAt = innerWidth;
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(redraw);
  });
}
