// Numbers for people, and tables that keep their place while their rows change.

const number = new Intl.NumberFormat("en");
export const count = (value) => number.format(value);

function scaled(value, unit, step = 1000) {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  let i = 0;
  while (value >= step && i < prefixes.length - 1) { value /= step; ++i; }
  return `${i && value < 100 ? value.toFixed(1) : Math.round(value)} ${prefixes[i]}${unit}`;
}
export const bitRate = (bits) => scaled(bits, "bit/s");
export const octets = (value) => scaled(value, "B");
export const perSecond = (value) => `${count(Math.round(value))}/s`;

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "none yet";
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

/** Rates of what is counted under a name, from one look to the next. */
export class Rates {
  constructor() { this.before = new Map(); this.seen = new Map(); }
  /** Per second; null at the first look. Call `turn` when all names of a look have been asked. */
  of(name, value, now) {
    this.seen.set(name, { value, now });
    const before = this.before.get(name);
    return before && now > before.now ? Math.max(0, (value - before.value) * 1000 / (now - before.now)) : null;
  }
  turn() { this.before = this.seen; this.seen = new Map(); }
}

/** `columns`: [{title, key (of `sort`, optional), number, wide}]; cells are texts, or {text, state: "good"|"bad"}. */
export class Table {
  constructor(place, caption, columns, onSort) {
    this.columns = columns;
    this.place = place;
    const scroll = place.appendChild(document.createElement("div"));
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "group");
    scroll.setAttribute("aria-label", caption);
    const table = scroll.appendChild(document.createElement("table"));
    const row = table.createTHead().insertRow();
    this.heads = columns.map((column) => {
      const head = row.appendChild(document.createElement("th"));
      head.scope = "col";
      if (column.number) head.className = "number";
      if (column.key && onSort) {
        const button = head.appendChild(document.createElement("button"));
        button.type = "button";
        button.textContent = column.title;
        button.addEventListener("click", () => onSort(column.key));
      } else {
        head.textContent = column.title;
      }
      return head;
    });
    this.body = table.createTBody();
    this.empty = place.appendChild(document.createElement("p"));
    this.scroll = scroll;
  }

  sortedBy(key) {
    this.heads.forEach((head, i) => {
      const own = this.columns[i].key === key;
      if (own) head.setAttribute("aria-sort", key === "address" ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  }

  set(rows, whenEmpty) {
    this.scroll.hidden = rows.length === 0;
    this.empty.hidden = rows.length > 0;
    this.empty.textContent = whenEmpty;
    while (this.body.rows.length > rows.length) this.body.deleteRow(-1);
    rows.forEach((cells, i) => {
      const row = this.body.rows[i] ?? this.body.insertRow();
      cells.forEach((cell, j) => {
        const place = row.cells[j] ?? row.insertCell();
        const text = typeof cell === "object" ? cell.text : cell;
        const column = this.columns[j];
        const state = typeof cell === "object" ? cell.state : "";
        place.className = [column.number ? "number" : "name", column.wide ? "wide" : "", state].join(" ").trim();
        if (place.textContent !== text) place.textContent = text;
      });
    });
  }
}

/** "‹ 1 to 25 of 1,234 ›" under a table. */
export class Pages {
  constructor(place, size, onMove) {
    this.size = size;
    this.offset = 0;
    const bar = place.appendChild(document.createElement("div"));
    bar.className = "pages";
    const button = (text, step) => {
      const one = bar.appendChild(document.createElement("button"));
      one.type = "button";
      one.textContent = text;
      one.addEventListener("click", () => { this.offset = Math.max(0, this.offset + step); onMove(); });
      return one;
    };
    this.back = button("previous", -size);
    this.text = bar.appendChild(document.createElement("span"));
    this.on = button("next", size);
    this.bar = bar;
  }
  set(shown, matched) {
    this.bar.hidden = matched <= this.size && this.offset === 0;
    this.text.textContent = shown ? `${count(this.offset + 1)} to ${count(this.offset + shown)} of ${count(matched)}` : `none of ${count(matched)}`;
    this.back.disabled = this.offset === 0;
    // The server sorts 10 000 rows and no more; a search finds the others.
    this.on.disabled = this.offset + this.size >= Math.min(matched, 10000);
  }
}
