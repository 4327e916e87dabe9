#!/usr/bin/env bash
# Fetches mpegts.js, the player in the page of `amt serve`, as src/observe/serve_page/package-lock.json says; once. Without npm or a
# network the program is built without it, and its page plays what the browser itself can.
set -uo pipefail
cd "$(dirname "$0")/../src/observe/serve_page" || exit 1
[ -e node_modules/mpegts.js/dist/mpegts.js ] && exit 0
without="the page of amt serve is built without its player mpegts.js"
if ! command -v npm >/dev/null; then
  echo "fetch_player: npm is not installed; $without"
elif ! timeout 120 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; then
  echo "fetch_player: npm ci failed; $without"
fi
exit 0
