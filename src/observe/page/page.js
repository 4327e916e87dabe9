// What the daemon says of itself, asked for again and again while somebody looks.
import { Plot } from "/plot.js";
import { Pages, Rates, Table, bitRate, count, duration, octets, perSecond } from "/tables.js";

const $ = (id) => document.getElementById(id);
const PAGE_ROWS = 25;
const ROWS_MAX = { hour: 3600, day: 1440 };
const ROWS_SHOWN_MIN = 60;

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store" });
  const body = await answer.json();
  if (!answer.ok && !("healthy" in body)) throw new Error(body.error ?? `status ${answer.status}`);
  return body;
}

// ---- Plots
let span = "hour";
let rows = [];
let next = 0;
let plots = null;

function makePlots(clients) {
  const rate = (name) => ({ name, format: perSecond });
  const definitions = [
    ["Bit rate", [0, 1], [{ name: "in", format: bitRate }, { name: "out", format: bitRate }]],
    [clients === "gateways" ? "Gateways" : "Memberships", [2], [{ name: "now", format: count }]],
    ["Handshakes", [3], [rate("now")]],
    ["Trouble", [4, 5], [rate("lost"), rate("refused")]],
  ];
  return definitions.map(([title, columns, series]) => {
    const plot = new Plot(title, series);
    $("plots").append(plot.element);
    return { plot, columns };
  });
}

async function lookAtHistory() {
  const asked = span;
  const history = await ask(`/history.json?span=${asked}&after=${next}`);
  if (asked !== span) return;
  if (history.next < next) rows = [];
  next = history.next;
  rows = rows.concat(history.rows).slice(-ROWS_MAX[span]);
  plots ??= makePlots(history.columns[2]);
  // A young process has less than that to show.
  const shown = Math.max(rows.length, ROWS_SHOWN_MIN);
  for (const { plot, columns } of plots) {
    plot.set(columns.map((column) => rows.map((row) => row[column])), shown, `${duration(shown * history.interval_seconds)} ago`);
  }
}

function chooseSpan(name) {
  span = name;
  rows = [];
  next = 0;
  for (const one of Object.keys(ROWS_MAX)) $(`span-${one}`).setAttribute("aria-pressed", String(one === name));
  lookAtHistory().catch(showProblem);
}

// ---- State in one line of words
function say(state, text) {
  const line = $("state");
  line.className = state;
  // Only a change is read out.
  if (line.textContent !== text) line.textContent = text;
}

let explanations = {};
let troubleTable;
const troubleRates = new Rates();

/** Rows of what grew, most first; sets the table. */
function showTrouble(status) {
  const own = explanations[status.role] ?? {};
  const all = Object.entries(status.counters).map(([name, value]) => ({ name, value, info: own[name] }));
  for (const downstream of status.downstreams ?? []) {
    for (const [name, value] of Object.entries(downstream.counters)) {
      const info = explanations.lan?.[name.replace(/^(igmp|mld)_/, "")] ?? explanations.host?.[name];
      all.push({ name: `${downstream.interface} ${name}`, value, info });
    }
  }
  const now = performance.now();
  const trouble = all.filter((one) => one.info && one.value > 0 && one.info.kind !== "other");
  for (const one of trouble) one.rate = troubleRates.of(one.name, one.value, now);
  troubleRates.turn();
  trouble.sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || b.value - a.value);
  troubleTable ??= new Table($("trouble"), "Refused and lost",
    [{ title: "Counter" }, { title: "Now", number: true }, { title: "Since the start", number: true },
      { title: "What it counts", wide: true }, { title: "What to do", wide: true }]);
  troubleTable.set(trouble.map((one) => [one.name, one.rate === null ? "" : perSecond(one.rate),
    count(one.value), `${one.info.help} (${one.info.unit})`, one.info.remedy]), "Nothing was refused or lost since the start.");
  return trouble;
}

function showState(status, health, trouble) {
  const failed = health.checks.filter((one) => !one.ok);
  const drops = trouble.filter((one) => one.info.kind === "drop" && one.rate > 0);
  if (failed.length) say("bad", `Not healthy: ${failed[0].name}: ${failed[0].detail}.`);
  else if (drops.length) say("bad", `Losing data: ${drops[0].info.help}. ${drops[0].info.remedy}`);
  else say("good", "All is well.");
  const latest = rows[rows.length - 1];
  const rates = latest ? `, ${bitRate(latest[0])} in, ${bitRate(latest[1])} out` : "";
  $("figures").textContent = status.role === "relay"
    ? `${count(status.tunnel_count)} gateways, ${count(status.channel_count)} channels${rates}; up for ${duration(status.uptime_seconds)}`
    : `${count(status.relays.length)} relays${rates}; up for ${duration(status.uptime_seconds)}`;
  $("title").textContent = `amt ${status.role}`;
  document.title = `${failed.length || drops.length ? "! " : ""}amt ${status.role}`;
  $("version").textContent = `amt ${status.version}`;
}

let healthTable;
function showHealth(health) {
  healthTable ??= new Table($("health"), "Health", [{ title: "Check" }, { title: "Result" }]);
  healthTable.set(health.checks.map((one) => [one.name, { text: one.detail, state: one.ok ? "good" : "bad" }]), "Nothing is checked.");
}

// ---- A relay's lists
const channelRates = new Rates();
let channels;
async function lookAtChannels() {
  channels ??= makeList("channels", "tunnels", [{ title: "Channel" }, { title: "Gateways", key: "tunnels", number: true },
    { title: "Rate", number: true }, { title: "Packets", key: "packets", number: true }, { title: "Octets", key: "bytes", number: true }]);
  const list = await ask(`/status.json?list=channels&${channels.query()}`);
  const now = performance.now();
  const cells = list.channels.map((one) => {
    const name = one.source ? `${one.source}@${one.group}` : one.group;
    const rate = channelRates.of(name, one.bytes, now);
    return [name, count(one.tunnels), rate === null ? "" : bitRate(8 * rate), count(one.packets), octets(one.bytes)];
  });
  channelRates.turn();
  channels.show(cells, list.channels_matched, "Nobody watches anything.");
}

const tunnelRates = new Rates();
let tunnels;
let search = "";
async function lookAtTunnels() {
  tunnels ??= makeList("tunnels", "bytes", [{ title: "Gateway", key: "address" }, { title: "Watches" }, { title: "Rate", number: true },
    { title: "Octets", key: "bytes", number: true }, { title: "Since", key: "since", number: true }, { title: "Heard", key: "heard", number: true }]);
  const list = await ask(`/status.json?list=tunnels&${tunnels.query()}${search}`);
  const now = performance.now();
  const cells = list.tunnels.map((one) => {
    const rate = tunnelRates.of(one.endpoint, one.bytes, now);
    const groups = one.groups.slice(0, 3).map((group) => group.sources.length === 1 && group.mode === "include" ? `${group.sources[0]}@${group.group}` : group.group);
    if (one.groups.length > 3) groups.push(`and ${one.groups.length - 3} more`);
    return [one.endpoint, groups.join(", "), rate === null ? "" : bitRate(8 * rate), octets(one.bytes), duration(one.since_seconds), `${duration(one.heard_seconds)} ago`];
  });
  tunnelRates.turn();
  tunnels.show(cells, list.tunnels_matched, search ? "No gateway is like that." : "No gateway is here.");
}

/** A table whose order and pages the server makes. */
function makeList(name, firstKey, columns) {
  let key = firstKey;
  const look = () => looks[name]().catch(showProblem);
  const table = new Table($(name), name, columns, (chosen) => { key = chosen; pages.offset = 0; look(); });
  const pages = new Pages($(name), PAGE_ROWS, look);
  return {
    query: () => `sort=${key}&top=${PAGE_ROWS}&offset=${pages.offset}`,
    first: () => { pages.offset = 0; },
    show: (cells, matched, whenEmpty) => {
      table.sortedBy(key);
      table.set(cells, whenEmpty);
      pages.set(cells.length, matched);
    },
  };
}
const looks = { channels: lookAtChannels, tunnels: lookAtTunnels };

/** An address is a gateway's, unless it is a group. */
function parameterOf(text) {
  if (!text) return "";
  const first = parseInt(text, 10);
  const isGroup = /^\[?ff/i.test(text) || (text.includes(".") && first >= 224 && first <= 239);
  return `&${isGroup ? "group" : "address"}=${encodeURIComponent(text)}`;
}

async function find(event) {
  event.preventDefault();
  const before = search;
  search = parameterOf($("search-text").value.trim());
  tunnels?.first();
  const problem = $("search-problem");
  problem.hidden = true;
  try {
    await lookAtTunnels();
  } catch (error) {
    search = before;
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

// ---- A gateway's lists
const relayRates = new Rates();
const membershipRates = new Rates();
let relayTable;
let membershipTable;
function showGateway(status) {
  const now = performance.now();
  relayTable ??= new Table($("relays"), "Relays", [{ title: "Relay" }, { title: "State" }, { title: "Groups", number: true },
    { title: "Rate", number: true }, { title: "Octets", number: true }]);
  relayTable.set(status.relays.map((one) => {
    const rate = relayRates.of(one.address, one.bytes, now);
    return [`${one.address} port ${one.port}`, { text: one.state, state: one.state === "connected" ? "good" : "bad" }, count(one.groups),
      rate === null ? "" : bitRate(8 * rate), octets(one.bytes)];
  }), "No relay is needed: nothing is wanted.");
  relayRates.turn();
  membershipTable ??= new Table($("memberships"), "Memberships", [{ title: "Group" }, { title: "Sources" }, { title: "Comes" },
    { title: "Rate", number: true }, { title: "Octets", number: true }]);
  membershipTable.set(status.memberships.map((one) => {
    const rate = membershipRates.of(one.group, one.bytes, now);
    const comes = one.idle_seconds !== null && one.idle_seconds < 10;
    const state = comes ? "yes" : one.idle_seconds === null ? "nothing yet" : `nothing for ${duration(one.idle_seconds)}`;
    const sources = one.mode === "include" ? one.sources.join(", ") : one.sources.length ? `all but ${one.sources.join(", ")}` : "any";
    return [one.group, sources, { text: state, state: comes ? "good" : "bad" }, rate === null ? "" : bitRate(8 * rate), octets(one.bytes)];
  }), "Nothing is wanted here.");
  membershipRates.turn();
}

// ---- The loop
function showProblem(error) { say("bad", `No answer: ${error.message}. Asking again.`); }

async function look(turn) {
  await lookAtHistory();
  // The lists of a relay cost it a walk through all that it has: seldom.
  const [status, health] = await Promise.all([ask("/status.json?tunnels=0&channels=0&sort=bytes&top=200"), ask("/healthz")]);
  showHealth(health);
  showState(status, health, showTrouble(status));
  const isRelay = status.role === "relay";
  for (const id of ["channels-section", "tunnels-section"]) $(id).hidden = !isRelay;
  for (const id of ["relays-section", "memberships-section"]) $(id).hidden = isRelay;
  if (!isRelay) showGateway(status);
  else if (turn % 3 === 0) await Promise.all([lookAtChannels(), lookAtTunnels()]);
}

async function run() {
  $("span-hour").addEventListener("click", () => chooseSpan("hour"));
  $("span-day").addEventListener("click", () => chooseSpan("day"));
  $("search").addEventListener("submit", find);
  for (let turn = 0; ; ++turn) {
    try {
      if (Object.keys(explanations).length === 0) explanations = await ask("/counters.json");
      if (document.visibilityState === "visible") await look(turn);
    } catch (error) {
      showProblem(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

run();
