// A plot of one or two series: an SVG with a path each, the greatest value above it, and a sentence for screen readers.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 100;

/** The path of `values` (oldest first), of which `count` fill the width. Several values in a column give its maximum. */
export function pathOf(values, count, max) {
  if (values.length < 2 || max <= 0) return "";
  const first = count - values.length;
  const columns = new Map();
  values.forEach((value, i) => {
    const x = Math.round(((first + i) * WIDTH) / (count - 1));
    columns.set(x, Math.max(columns.get(x) ?? 0, value));
  });
  let path = "";
  for (const [x, value] of columns) path += `${path ? "L" : "M"}${x} ${(HEIGHT - (value / max) * (HEIGHT - 4)).toFixed(1)}`;
  return path;
}

/** `series`: [{name, format}] of one unit. Give `set` the values, oldest first, of each. */
export class Plot {
  constructor(title, series) {
    this.title = title;
    this.series = series;
    this.element = document.createElement("figure");
    const caption = this.element.appendChild(document.createElement("figcaption"));
    caption.append(Object.assign(document.createElement("strong"), { textContent: title }));
    this.labels = series.map((_, i) =>
      caption.appendChild(Object.assign(document.createElement("span"), { className: i ? "b" : "a" })));
    this.top = this.element.appendChild(Object.assign(document.createElement("div"), { className: "scale" }));
    this.svg = this.element.appendChild(document.createElementNS(SVG, "svg"));
    this.svg.setAttribute("class", "plot");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.svg.setAttribute("role", "img");
    this.paths = series.map((_, i) => {
      const path = this.svg.appendChild(document.createElementNS(SVG, "path"));
      if (i) path.setAttribute("class", "b");
      return path;
    });
    this.bottom = this.element.appendChild(Object.assign(document.createElement("div"), { className: "scale" }));
    this.left = this.bottom.appendChild(document.createElement("span"));
    this.bottom.append(Object.assign(document.createElement("span"), { textContent: "now" }));
  }

  set(lists, count, spanName) {
    const max = Math.max(...lists.map((values) => values.reduce((a, b) => Math.max(a, b), 0)), 0);
    const format = this.series[0].format;
    this.top.textContent = max > 0 ? `up to ${format(max)}` : "nothing";
    this.left.textContent = spanName;
    const now = lists.map((values) => values[values.length - 1] ?? 0);
    this.labels.forEach((label, i) => { label.textContent = `${this.series[i].name} ${format(now[i])}`; });
    this.paths.forEach((path, i) => path.setAttribute("d", pathOf(lists[i], count, max)));
    this.svg.setAttribute("aria-label",
      `${this.title}, ${spanName}: ${this.series.map((one, i) => `${one.name} now ${format(now[i])}`).join(", ")}, at most ${format(max)}`);
  }
}
