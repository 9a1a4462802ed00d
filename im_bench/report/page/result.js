// The plots of one run.
/** What is left of a second when a step ends within it would only draw a spike. */
const rows = data.series.filter((row, index, all) => index === 0 || row.t_s - all[index - 1].t_s > 0.3);
const measured = rows.filter((row) => row.measured);

/** Every name that some row has under a key, in the order of its first coming. */
const namesOf = (pick) => [...new Set(rows.flatMap((row) => Object.keys(pick(row) ?? {})))];
/** A line over time; rows without a value leave a hole. */
const overTime = (name, pick) => ({ name, points: rows.map((row) => [row.t_s, pick(row) ?? null]) });
const time = {
  x: timeAxis,
  tell: (x) => `${+x.toFixed(1)} s`,
  span: [rows[0]?.t_s, rows.at(-1)?.t_s],  // the same in all plots, so that an eye can go down from one to the next
  band: measured.length ? { from: measured[0].t_s - 1, to: measured.at(-1).t_s, label: "measured" } : null,
};

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
      // Of few values p99 is the greatest: that one shows as a rim.
      lines: ["max", "p99", "p50"].map((key) => overTime(`${main} ${key}`, (row) => row.latency_ms[main]?.[key])),
      unit: "ms", log: true, rim: true, ...time,
    },
    // They lie upon each other as long as the server keeps up: the first one shows as a rim.
    rates: { lines: rates.map((name) => overTime(name, (row) => row[`${name}_per_s`])), unit: "/s", rim: true, ...time },
    connections: { lines: [overTime("connections", (row) => row.connections)], unit: "", ...time },
    cpu: {
      lines: [busiest, ...namesOf((row) => row.resources).map((name) =>
        overTime(name, (row) => row.resources[name]?.cpu_share))], unit: "of a core", ...time,
    },
    memory: {
      // As in the plot above, where the generator comes first.
      lines: namesOf((row) => row.resources).map((name, index) =>
        ({ ...overTime(name, (row) => row.resources[name]?.rss_mib), hue: index + 1 })),
      unit: "MiB", ...time,
    },
    lag: {
      lines: namesOf((row) => row.lag).map((name) => overTime(name, (row) => row.lag[name])),
      unit: "records", keep: true, ...time,
    },
  };
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

show(plots());
