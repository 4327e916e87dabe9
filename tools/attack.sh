#!/usr/bin/env bash
# The attacks of tests/attack in their long form, one after the other; prints each one's figures.
#   tools/attack.sh [ROW...]      a row: the test's name without `attack.`; default: all
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
rows=${*:-.*}
export AMT_ATTACK_SECONDS=${AMT_ATTACK_SECONDS:-10}
ctest --test-dir build/release -L '^attack' -R "^attack\\.(${rows// /|})\$" --no-tests=error -V |
  grep -E '^[0-9]+: (figure:|AssertionError|SKIPPED|passed|FAILED)|^ *[0-9]+/[0-9]+ Test|tests passed|^\s+[0-9]+ - '
exit "${PIPESTATUS[0]}"
