#!/usr/bin/env bash
# All checks that need no build: formatting, shell and Python syntax, banned names, the map of the rooms, missing headers.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
failed=0
run() {
  local name=$1
  shift
  if "$@"; then echo "lint: $name ok"; else echo "lint: $name FAILED" >&2; failed=1; fi
}
mapfile -t scripts < <({
  git ls-files --cached --others --exclude-standard -- '*.sh'
  git grep --untracked -lE '^#!.*\b(ba)?sh$' -- ':!*.sh' ':!*.md' || true
} | sort -u)
mapfile -t programs < <(git ls-files --cached --others --exclude-standard -- '*.py')
run clang-format tools/format.sh --check
run shellcheck shellcheck --severity=style "${scripts[@]}"
run python python3 tools/check_syntax.py "${programs[@]}"
run banned-names python3 tools/check_banned.py
run rooms python3 tools/check_rooms.py
run includes python3 tools/check_includes.py
exit "$failed"
