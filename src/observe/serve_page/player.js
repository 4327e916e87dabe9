// Plays a channel in a <video>: MPEG-TS by mpegts.js, or HLS where the browser itself plays that (phones of Apple).
'use strict';

const HLS_TYPE = 'application/vnd.apple.mpegurl';
// The picture is shown so far behind the newest that has come; further behind, it catches up.
const LATENCY_TARGET = 1;
const LATENCY_MAX = 4;
const RETRY_AFTER = 2000;
const STILL_WITHIN = 10000;
const STILL_WIDTH = 160;

if (window.mpegts) {
  mpegts.LoggingControl.enableAll = false;
  mpegts.LoggingControl.enableError = true;
}

const canPlay = () => Boolean(window.mpegts && mpegts.isSupported());
const canPlayHls = (video) => video.canPlayType(HLS_TYPE) !== '';
// `path`: the channel, and what stands behind it: `?relay=...`.
const streamOf = (path) => '/amt/' + path;
const hlsOf = (path) => '/hls/' + path.replace(/(\?|$)/, '/index.m3u8$1');

function attach(video, path, onError, onEnd) {
  const player = mpegts.createPlayer({ type: 'mpegts', isLive: true, url: streamOf(path) }, {
    enableWorker: false, enableStashBuffer: false, lazyLoad: false, autoCleanupSourceBuffer: true,
    liveSync: true, liveSyncTargetLatency: LATENCY_TARGET, liveSyncMaxLatency: LATENCY_MAX,
  });
  player.on(mpegts.Events.ERROR, onError);
  player.on(mpegts.Events.LOADING_COMPLETE, onEnd);
  player.attachMediaElement(video);
  player.load();
  return player;
}

// One channel at a time in `video`. `report(text)`: what is wrong, in words; empty: nothing.
class ChannelPlayer {
  constructor(video, report) {
    this.video = video;
    this.report = report;
    this.player = null;
    this.path = null;
    this.timer = 0;
    this.isLost = false;
    // The server lets a viewer go who pauses for long. The channel is asked for again when he plays on.
    video.addEventListener('play', () => { if (this.isLost) this.play(this.path); });
  }

  stop() {
    clearTimeout(this.timer);
    if (this.player) this.player.destroy();
    this.player = null;
    this.path = null;
    this.isLost = false;
    this.video.removeAttribute('src');
    this.video.load();
  }

  play(path) {
    this.stop();
    this.path = path;
    this.report('');
    if (canPlay()) {
      this.player = attach(this.video, path, (type, detail, info) => this.failed(type, info), () => this.again('The stream has ended'));
    } else if (canPlayHls(this.video)) {
      this.video.src = hlsOf(path);
    } else {
      return this.report('This browser cannot play it. ' + this.elsewhere());
    }
    this.video.play().catch((error) => { if (error.name === 'NotAllowedError') this.report('Press play: the browser waits for you.'); });
  }

  elsewhere() { return 'Open http://' + location.host + streamOf(this.path) + ' in a player such as mpv or VLC.'; }

  failed(type, info) {
    if (type === mpegts.ErrorTypes.NETWORK_ERROR) {
      const code = info && info.code;
      return code > 0 ? this.explain() : this.again('The server does not answer');
    }
    this.report('The browser does not play this stream (' + ((info && info.msg) || type) + '). ' + this.elsewhere());
  }

  // The server says in the text of a refusal what is wrong.
  async explain() {
    const path = this.path;
    const answer = await fetch(streamOf(path), { signal: AbortSignal.timeout(15000) }).catch(() => null);
    const text = answer && !answer.ok ? (await answer.json().catch(() => ({}))).error : '';
    if (answer && answer.ok) answer.body.cancel();
    if (path !== this.path) return;
    // Asking again does not mend what is wrong with the address, or who may watch.
    if (answer && answer.status >= 400 && answer.status < 500) this.report('It does not play: ' + text);
    else this.again(text || 'The stream does not begin');
  }

  again(why) {
    this.isLost = true;
    if (this.video.paused) return this.report(why + '. Press play for the newest picture.');
    this.report(why + '. Trying again.');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.play(this.path), RETRY_AFTER);
  }

  // Seconds between the picture that is shown and the newest that has come; NaN: nothing is shown.
  delay() {
    const { buffered, currentTime, readyState } = this.video;
    return buffered.length && readyState >= 2 ? buffered.end(buffered.length - 1) - currentTime : NaN;
  }
}

function drawStill(video) {
  if (!video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = STILL_WIDTH;
  canvas.height = Math.round(STILL_WIDTH * video.videoHeight / video.videoWidth);
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute('aria-hidden', 'true');
  return canvas;
}

// The first picture of a channel that is received anyway; null: none came. Costs what comes at once, the last key frame.
function fetchStill(path) {
  if (!canPlay()) return Promise.resolve(null);
  return new Promise((resolve) => {
    const video = document.createElement('video');
    video.muted = true;
    let player = null;
    const finish = (still) => {
      clearTimeout(timer);
      const done = player;
      player = null;
      // Not inside one of its own events.
      if (done) setTimeout(() => done.destroy());
      resolve(still);
    };
    const timer = setTimeout(() => finish(null), STILL_WITHIN);
    video.addEventListener('loadeddata', () => finish(drawStill(video)), { once: true });
    player = attach(video, path, () => finish(null), () => finish(null));
  });
}
