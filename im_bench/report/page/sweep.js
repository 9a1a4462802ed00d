// The plots of a sweep: figures over the values that a setting took.
/** Values that lie far apart stand at their powers of ten, and what grows with them is told so, too: the slope is the power. */
const far = Math.min(...data.values) > 0 && Math.max(...data.values) > 20 * Math.min(...data.values);
const place = far ? Math.log10 : (value) => value;

/** A process has the same colour in all plots. */
const processes = Object.keys(data.plots.costs.lines);
const hueOf = (name) => (processes.includes(name) ? processes.indexOf(name) : undefined);

const plotOf = ({ unit, log, lines }) => ({
  unit,
  log: log && far,
  x: () => data.values.map((value) => [place(value), number(value)]),
  tell: (x) => `${data.over} ${number(far ? 10 ** x : x)}`,
  lines: Object.entries(lines).map(([name, dots]) => ({
    name,
    hue: hueOf(name),
    points: dots.map(([value, median]) => [place(value), median]),
    ranges: dots.map(([value, , least, most]) => [place(value), least, most]),
  })),
});

show(Object.fromEntries(Object.entries(data.plots).map(([name, plot]) => [name, plotOf(plot)])));
