// The page of `amt serve`: the list, a player, and what /status says of the channel that plays.
'use strict';

const video = document.getElementById('video');
const now = document.getElementById('now');
const numbers = document.getElementById('numbers');
const list = document.getElementById('channels');
let player = null;
let playing = null;

function describe(channel) {
  const parts = [];
  if (channel.state) parts.push(channel.state);
  if (channel.viewers) parts.push(channel.viewers + (channel.viewers === 1 ? ' viewer' : ' viewers'));
  if (channel.streams && channel.streams.length) parts.push(channel.streams.join(', '));
  return parts.join(' · ');
}

function stop() {
  if (player) player.destroy();
  player = null;
  video.removeAttribute('src');
  video.load();
}

function play(name, path) {
  stop();
  playing = path;
  now.textContent = name;
  numbers.textContent = '';
  const url = '/hls/' + path + '/index.m3u8';
  if (window.Hls && Hls.isSupported()) {
    player = new Hls({ enableWorker: false, liveSyncDurationCount: 2, manifestLoadingTimeOut: 20000 });
    player.on(Hls.Events.ERROR, (event, data) => {
      if (!data.fatal) return;
      if (data.type === Hls.ErrorTypes.MEDIA_ERROR) return player.recoverMediaError();
      numbers.textContent = 'It does not play: ' + data.details + '. The stream itself: http://' + location.host + '/amt/' + path;
    });
    player.loadSource(url);
    player.attachMedia(video);
  } else if (video.canPlayType('application/vnd.apple.mpegurl')) {
    video.src = url;
  } else {
    now.textContent = name + ': this browser cannot play it. Open http://' + location.host + '/amt/' + path + ' in a player.';
    return;
  }
  video.play().catch(() => { numbers.textContent = 'Press play.'; });
  refresh();
}

function entry(channel) {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = channel.name || channel.channel;
  if (channel.channel === playing) button.setAttribute('aria-current', 'true');
  const detail = document.createElement('small');
  detail.textContent = [channel.group_title, channel.name ? channel.channel : '', describe(channel)].filter(Boolean).join(' · ');
  button.append(detail);
  button.addEventListener('click', () => play(channel.name || channel.channel, channel.channel));
  item.append(button);
  return item;
}

function tell(channel) {
  if (!channel) return;
  const words = [(channel.bits_per_second / 1e6).toFixed(1) + ' Mbit/s', channel.lost + ' packets lost',
    channel.relays.length ? 'through the relay ' + channel.relays.join(', ') : 'no relay yet'];
  if (channel.scrambled) words.push('scrambled: it can be played with a key only');
  if (channel.reason) words.push(channel.reason);
  const buffered = video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0;
  if (buffered > 0) words.push(buffered.toFixed(1) + ' s buffered');
  numbers.textContent = words.join(' · ');
}

async function refresh() {
  try {
    const answer = await fetch('/channels.json');
    const channels = await answer.json();
    const focused = document.activeElement && list.contains(document.activeElement)
      ? [...list.querySelectorAll('button')].indexOf(document.activeElement) : -1;
    list.replaceChildren(...channels.map(entry));
    if (focused >= 0) list.querySelectorAll('button')[focused]?.focus();
    if (playing) tell(channels.find((one) => one.channel === playing && one.state));
  } catch (error) {
    numbers.textContent = 'The server does not answer.';
  }
}

document.getElementById('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = document.getElementById('url').value.trim().replace(/^[a-z]+:\/\/@?/i, '').replace(/[/?].*$/, '');
  play(text, text);
});

refresh();
setInterval(refresh, 2000);
