#!/usr/bin/env bash
# Fetches what comes from npm, as the package-lock.json beside it says; once:
#   mpegts.js, the player in the page of `amt serve` (src/observe/serve_page). Without npm or a network the program is built without
#   it, and its page plays what the browser itself can.
#   axe-core, with which the browser tests look for what keeps people out (tests/system/browser).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

# fetch FOLDER FILE WITHOUT
fetch() {
  [ -e "$1/node_modules/$2" ] && return
  if ! command -v npm >/dev/null; then
    echo "fetch_npm: npm is not installed; $3"
  elif ! (cd "$1" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null); then
    echo "fetch_npm: npm ci failed in $1; $3"
  fi
}
fetch src/observe/serve_page mpegts.js/dist/mpegts.js "the page of amt serve is built without its player mpegts.js"
fetch tests/system/browser axe-core/axe.min.js "the browser tests are skipped without axe-core"
exit 0
