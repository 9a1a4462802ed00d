"use strict";
// Draws the plots from the data within the page, as wide as each figure is, and again when that changes.
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
/** What is left of a second when a step ends within it would only draw a spike. */
const rows = data.series.filter((row, index, all) => index === 0 || row.t_s - all[index - 1].t_s > 0.3);
const measured = rows.filter((row) => row.measured);
const number = (value) =>
  value >= 1e6 ? `${+(value / 1e6).toPrecision(3)}M` : value >= 1e4 ? `${+(value / 1e3).toPrecision(3)}k`
    : `${+value.toPrecision(3)}`;

/** Every name that some row has under a key, in the order of its first coming. */
const namesOf = (pick) => [...new Set(rows.flatMap((row) => Object.keys(pick(row) ?? {})))];
/** A line over time; rows without a value leave a hole. */
const overTime = (name, pick) => ({ name, points: rows.map((row) => [row.t_s, pick(row) ?? null]) });
const used = (line) => line.points.some(([, y]) => y !== null && y !== 0);
const seconds = (x) => `${+x.toFixed(1)} s`;

function plots() {
  const latencies = namesOf((row) => row.latency_ms);
  const main = latencies.includes("delivery") ? "delivery" : latencies.find((name) => name !== "connect") ?? latencies[0];
  const curves = Object.entries(data.curves).map(([name, points]) => ({
    name, points: points.map(([percentile, ms]) => [-Math.log10(1 - percentile / 100), ms]),
  }));
  const rates = ["offered", "acked", "delivered"].filter((name) => !(data.closed && name === "offered"));
  const busiest = overTime("generator", (row) => Math.max(0, ...row.generator_cpu));
  return {
    percentiles: {
      lines: curves, unit: "ms", log: true, x: percentileAxis, tell: (x) => `p${+(100 * (1 - 10 ** -x)).toFixed(3)}`,
    },
    latency: {
      lines: ["p50", "p99", "max"].map((key) => overTime(`${main} ${key}`, (row) => row.latency_ms[main]?.[key])),
      unit: "ms", log: true,
    },
    // They lie upon each other as long as the server keeps up: the first one shows as a rim.
    rates: { lines: rates.map((name) => overTime(name, (row) => row[`${name}_per_s`])), unit: "/s", rim: true },
    connections: { lines: [overTime("connections", (row) => row.connections)], unit: "" },
    cpu: {
      lines: [busiest, ...namesOf((row) => row.resources).map((name) =>
        overTime(name, (row) => row.resources[name]?.cpu_share))], unit: "of a core",
    },
    memory: {
      lines: namesOf((row) => row.resources).map((name) => overTime(name, (row) => row.resources[name]?.rss_mib)),
      unit: "MiB",
    },
    lag: { lines: namesOf((row) => row.lag).map((name) => overTime(name, (row) => row.lag[name])), unit: "records", keep: true },
  };
}

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

function timeAxis(low, high, width) {
  const most = Math.max(2, Math.floor(width / 90)), rough = (high - low) / most || 1;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600].find((each) => each >= rough) ?? 7200;
  const ticks = [];
  for (let x = Math.ceil(low / step) * step; x <= high; x += step) ticks.push([x, `${x} s`]);
  return ticks;
}

function percentileAxis(_low, high) {
  return [[0, "0"], [-Math.log10(0.5), "p50"], [1, "p90"], [2, "p99"], [3, "p99.9"], [4, "p99.99"], [5, "p99.999"]]
    .filter(([x]) => x <= high + 1e-9);
}

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function draw(figure, plot) {
  figure.querySelectorAll("svg, .legend, .tip").forEach((old) => old.remove());
  const lines = plot.lines.filter((line) => plot.keep || used(line)).slice(0, 8)
    .map((line, index) => ({ ...line, colour: `var(--s${index})` }));
  const values = lines.flatMap((line) => line.points).filter(([, y]) => y !== null);
  figure.hidden = values.length < 2;
  if (figure.hidden) return;
  const caption = figure.querySelector("figcaption");
  caption.innerHTML = `${caption.firstChild.textContent}<small>${plot.unit}</small>`;
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
  const xs = values.map(([x]) => x), ys = values.map(([, y]) => y).filter((y) => !plot.log || y > 0);
  const low = Math.min(...xs), high = Math.max(...xs);
  const ticks = plot.log ? logTicks(Math.min(...ys), Math.max(...ys)) : linearTicks(Math.max(...ys));
  const scale = plot.log ? Math.log10 : (y) => y;
  const floor = scale(ticks[0]), ceiling = scale(ticks.at(-1));
  const px = (x) => left + ((x - low) / (high - low || 1)) * (width - left - right);
  const py = (y) => {
    const value = plot.log ? scale(Math.max(y, ticks[0])) : y;
    return height - bottom - ((value - floor) / (ceiling - floor || 1)) * (height - top - bottom);
  };

  if (!plot.x && measured.length) {
    const from = Math.max(low, measured[0].t_s - 1), to = measured.at(-1).t_s;
    element("rect", { class: "band", x: px(from), width: px(to) - px(from), y: top, height: height - top - bottom }, svg);
    if (px(to) - px(from) > 90) element("text", { x: px(from) + 6, y: top + 14 }, svg, "measured");
  }
  for (const y of ticks) {
    element("line", { class: "grid", x1: left, x2: width - right, y1: py(y), y2: py(y) }, svg);
    element("text", { x: left - 8, y: py(y) + 4, "text-anchor": "end" }, svg, number(y));
  }
  let free = -Infinity;
  for (const [x, label] of (plot.x ?? timeAxis)(low, high, width - left - right)) {
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
  }
  pointAt(figure, svg, { lines, px, py, top, bottom: height - bottom, tell: plot.tell ?? seconds, unit: plot.unit });
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

const all = plots();
const redraw = () => document.querySelectorAll("figure[data-plot]").forEach((figure) => draw(figure, all[figure.dataset.plot]));
let pending = 0, drawnAt = innerWidth;
redraw();
addEventListener("resize", () => {
  if (innerWidth === drawnAt) return;
  drawnAt = innerWidth;
  cancelAnimationFrame(pending);
  pending = requestAnimationFrame(redraw);
});
