// SPDX-License-Identifier: Apache-2.0
// The plots of the last 15 minutes, each with its table. dygraphs draws on a canvas, which only eyes read.

import { fill, make, write } from "./dom.js";
import { UNKNOWN, clock, figure, minute } from "./format.js";

const megabits = (bytes) => (bytes * 8) / 1e6;
const percent = (ratio) => ratio * 100;
const same = (value) => value;

const PLOTS = [
  {
    title: "Bandwidth, Mbit/s",
    series: [
      ["in", "band_in_bytes_per_second", megabits],
      ["out", "band_out_bytes_per_second", megabits],
      ["peak in", "peak_in_bytes_per_second", megabits],
      ["peak out", "peak_out_bytes_per_second", megabits],
    ],
  },
  {
    title: "CPU, %",
    series: [
      ["mean", "cpu_utilisation", percent],
      ["hottest CPU", "cpu_max_utilisation", percent],
    ],
  },
  {
    title: "Sessions",
    series: [
      ["publishers", "publishers", same],
      ["subscribers", "subscribers", same],
      ["HLS", "hls", same],
    ],
  },
  {
    title: "Weight and bottleneck, %",
    series: [
      ["weight", "weight", same],
      ["bottleneck used", "bottleneck_utilisation", percent],
    ],
    hasOutages: true,
  },
];

const SECONDS_A_ROW = 60;
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function summary(values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return Array(4).fill(UNKNOWN);
  const sum = known.reduce((total, value) => total + value, 0);
  const now = values.at(-1);
  const lowest = known.reduce((a, b) => Math.min(a, b));
  const highest = known.reduce((a, b) => Math.max(a, b));
  return [now, lowest, sum / known.length, highest].map(figure);
}

class Plot {
  #names;
  #graph = null;
  #outages = [];
  #columns = [];

  constructor(parent, { title, series, hasOutages }, place) {
    this.series = series;
    this.hasOutages = hasOutages;
    this.#names = series.map(([name]) => name);
    const id = `plot-${place}`;
    this.canvas = make("div", { className: "plot" });
    this.hover = make("p", { className: "hover note" });
    this.body = make("tbody");
    this.minutes = make("tbody");
    this.details = make(
      "details",
      {},
      make("summary", {}, "Minute by minute"),
      this.#table(`${title}: the mean of each minute`, ["minute", ...this.#names], this.minutes),
    );
    const heading = make("h3", { id }, title);
    const table = this.#table("", ["", "now", "lowest", "mean", "highest"], this.body);
    const figure = make("figure", {}, heading, this.canvas, this.hover, table, this.details);
    figure.setAttribute("aria-labelledby", id);
    table.firstChild.setAttribute("aria-labelledby", id);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${title}: a plot of the last 15 minutes, whose figures are in the table below`);
    parent.append(figure);
  }

  #table(caption, heads, body) {
    const cells = heads.map((head) => (head ? make("th", { scope: "col" }, head) : make("td")));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...cells)), body);
    if (caption) table.prepend(make("caption", { className: "unseen" }, caption));
    return make("div", { className: "scroll" }, table);
  }

  update(history) {
    this.#outages = this.hasOutages ? history.outages : [];
    this.#columns = this.series.map(([, key, scale]) =>
      history.values(key).map((value) => (value === null ? null : scale(value))),
    );
    const rows = this.#names.map((name, i) => [name, ...summary(this.#columns[i])]);
    fill(this.body, rows, (row, i) => (row.cells[0].dataset.series = i));
    if (this.details.open) this.#fillMinutes(history.times);
    if (globalThis.Dygraph) this.#draw(history);
    else this.canvas.hidden = true;
  }

  #fillMinutes(times) {
    const rows = [];
    for (let end = times.length; end > 0; end -= SECONDS_A_ROW) {
      const begin = Math.max(0, end - SECONDS_A_ROW);
      const means = this.#columns.map((values) => summary(values.slice(begin, end))[2]);
      rows.push([minute(times[end - 1]), ...means]);
    }
    fill(this.minutes, rows);
  }

  #draw(history) {
    const times = history.times;
    const file = times.map((time, i) => [new Date(time), ...this.#columns.map((values) => values[i])]);
    if (!file.length) return;
    const data = { file, dateWindow: history.span };
    if (this.#graph) this.#graph.updateOptions(data);
    else this.#graph = new Dygraph(this.canvas, file, { ...this.#options(), ...data });
  }

  recolour() {
    this.#graph?.updateOptions(this.#colours());
  }

  #colours() {
    return {
      colors: this.#names.map((_, i) => colour(`--series-${i}`)),
      gridLineColor: colour("--line"),
      axisLineColor: colour("--line"),
    };
  }

  #options() {
    const dashed = Object.fromEntries(
      this.#names.filter((name) => name.startsWith("peak")).map((name) => [name, { strokePattern: [2, 3], strokeWidth: 1 }]),
    );
    return {
      ...this.#colours(),
      labels: ["time", ...this.#names],
      series: dashed,
      strokeWidth: 1.6,
      includeZero: true,
      highlightCircleSize: 3,
      interactionModel: {},
      axes: {
        x: { axisLabelFormatter: (date) => (date.getSeconds() ? "" : minute(date)), axisLabelWidth: 50, pixelsPerLabel: 70 },
        y: { axisLabelFormatter: (value) => figure(value), axisLabelWidth: 40, pixelsPerLabel: 28 },
      },
      highlightCallback: (_, time, points) => {
        const values = points.map(({ name, yval }) => `${name} ${figure(yval)}`);
        write(this.hover, `${clock(time)}: ${values.join(", ")}`);
      },
      unhighlightCallback: () => write(this.hover, ""),
      underlayCallback: (context, area, graph) => this.#shadeOutages(context, area, graph),
    };
  }

  /** Where the node was not up. */
  #shadeOutages(context, area, graph) {
    context.fillStyle = colour("--outage");
    this.#outages.forEach((isOut, i) => {
      if (!isOut) return;
      const from = graph.toDomXCoord(graph.getValue(i, 0));
      const to = graph.toDomXCoord(graph.getValue(i, 0) + 1000);
      context.fillRect(from, area.y, Math.max(1, to - from), area.h);
    });
  }
}

// The legend is the table's, and this one would need styles that the page's policy forbids.
if (globalThis.Dygraph) Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

export class Plots {
  constructor(parent) {
    this.plots = PLOTS.map((plot, place) => new Plot(parent, plot, place));
    dark.addEventListener("change", () => this.plots.forEach((plot) => plot.recolour()));
  }

  update(history) {
    for (const plot of this.plots) plot.update(history);
  }
}
