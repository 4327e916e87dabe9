// The page of `amt serve`: the list, the player, and what the server says of the channel that plays.
'use strict';

const REFRESH_AFTER = 2000;
const STILL_AGE_MAX = 60000;
const NO_ANSWER = 'The server does not answer.';
const byId = (id) => document.getElementById(id);
const video = byId('video');
const list = byId('channels');
const player = new ChannelPlayer(video, (text) => { byId('problem').textContent = text; });
// channel -> { canvas, at }; canvas null: it has no picture
const stills = new Map();
let isFetchingStill = false;

function plural(count, one, many) { return count + ' ' + (count === 1 ? one : many); }

function describe(channel) {
  const parts = [];
  if (channel.state) parts.push(channel.state);
  if (channel.viewers) parts.push(plural(channel.viewers, 'viewer', 'viewers'));
  if (channel.streams && channel.streams.length) parts.push(channel.streams.join(', '));
  return parts.join(' · ');
}

function keepStill(path, canvas) {
  if (canvas) stills.set(path, { canvas, at: Date.now() });
}

const channelOf = (path) => path && path.replace(/\?.*$/, '');

function play(name, path) {
  if (player.path) keepStill(channelOf(player.path), drawStill(video));
  byId('now').textContent = name;
  document.title = name + ' · Channels';
  byId('numbers').replaceChildren();
  player.play(path);
  refresh();
}

function entry(channel) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  const label = channel.name || channel.channel;
  button.type = 'button';
  button.dataset.channel = channel.channel;
  if (channel.channel === channelOf(player.path)) button.setAttribute('aria-current', 'true');
  const still = stills.get(channel.channel);
  const words = document.createElement('span');
  const detail = document.createElement('small');
  words.textContent = label;
  detail.textContent = [channel.group_title, channel.name ? channel.channel : '', describe(channel)].filter(Boolean).join(' · ');
  words.append(detail);
  if (still && still.canvas) button.append(still.canvas);
  button.append(words);
  button.addEventListener('click', () => play(label, channel.channel));
  item.append(button);
  return item;
}

function way(channel) {
  const relay = channel.relays.length ? 'the relay ' + channel.relays.join(', ') : 'a relay that is still looked for';
  switch (channel.served_by) {
    case 'native': return 'from the local network' + (channel.native_interface ? ' by ' + channel.native_interface : '') + ', without a tunnel';
    case 'both': return 'from the local network, and for the moment through ' + relay;
    case 'tunnel': return 'through ' + relay;
    default: return 'nothing yet; asking ' + relay;
  }
}

function losses(channel) {
  const parts = [channel.lost ? plural(channel.lost, 'packet was', 'packets were') + ' lost on the way here' : 'nothing was lost on the way here'];
  if (channel.repaired) parts.push(plural(channel.repaired, 'other was', 'others were') + ' repaired');
  return parts.join(', ');
}

function showNumbers(channel) {
  const lines = ['Received ' + way(channel) + ', ' + (channel.bits_per_second / 1e6).toFixed(1) + ' Mbit/s',
    'Losses: ' + losses(channel)];
  const delay = player.delay();
  if (!Number.isNaN(delay)) lines.push('Delay: the picture is ' + delay.toFixed(1) + ' s behind what has arrived');
  if (channel.scrambled) lines.push('Scrambled: it can be played with a key only');
  if (channel.reason) lines.push(channel.reason);
  byId('numbers').replaceChildren(...lines.map((text) => {
    const line = document.createElement('li');
    line.textContent = text;
    return line;
  }));
}

// Of a channel that others watch; one at a time, so that a page is never more than one viewer more.
async function refreshStills(channels) {
  if (isFetchingStill || document.hidden) return;
  const isOld = (one) => !stills.has(one.channel) || Date.now() - stills.get(one.channel).at > STILL_AGE_MAX;
  const next = channels.find((one) => one.state === 'playing' && !one.scrambled && one.viewers && one.channel !== channelOf(player.path) && isOld(one));
  if (!next) return;
  isFetchingStill = true;
  const still = await fetchStill(next.channel);
  // A channel without a picture, such as a radio, is not asked again at once.
  stills.set(next.channel, { canvas: still, at: Date.now() });
  isFetchingStill = false;
}

async function refresh() {
  let channels;
  try {
    channels = await (await fetch('/channels.json')).json();
  } catch (error) {
    byId('problem').textContent = NO_ANSWER;
    return;
  }
  if (byId('problem').textContent === NO_ANSWER) byId('problem').textContent = '';
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.channel : null;
  list.replaceChildren(...channels.map(entry));
  byId('empty').hidden = channels.length > 0;
  if (focused) [...list.querySelectorAll('button')].find((one) => one.dataset.channel === focused)?.focus();
  const playing = channels.find((one) => one.channel === channelOf(player.path) && one.state);
  if (playing) showNumbers(playing);
  refreshStills(channels);
}

byId('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('url').value.trim().replace(/^[a-z]+:\/\/@?/i, '').replace(/\/+(?=\?|$)/, '');
  play(text, text);
});

function moveFocus(step) {
  const buttons = [...list.querySelectorAll('button')];
  if (!buttons.length) return;
  const at = buttons.indexOf(document.activeElement);
  const from = at >= 0 ? at : buttons.findIndex((one) => one.hasAttribute('aria-current'));
  const first = step > 0 ? 0 : buttons.length - 1;
  buttons[from < 0 ? first : (from + step + buttons.length) % buttons.length].focus();
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLInputElement || event.target === video) return;
  const actions = {
    ArrowDown: () => moveFocus(1),
    ArrowUp: () => moveFocus(-1),
    m: () => { video.muted = !video.muted; },
    f: () => (document.fullscreenElement ? document.exitFullscreen() : video.requestFullscreen()).catch(() => {}),
  };
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

refresh();
setInterval(refresh, REFRESH_AFTER);
