#!/usr/bin/env bash
# Line coverage of every room by the unit tests alone.
#   tools/coverage.sh [ROOM]...  builds preset `coverage`, runs the unit tests, prints a table, and the lines of each ROOM that
#                                did not run; fails where a room is below its least (tools/coverage.py)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=build/coverage
jobs=${JOBS:-$(nproc)}
mkdir -p "$build"
if ! { cmake --preset coverage && cmake --build --preset coverage --parallel "$jobs" --target room_tests; } \
  >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  echo "coverage: the tests do not build ($build/build.log)" >&2
  exit 1
fi
# Counters add up over runs; this is about one.
find "$build" -name '*.gcda' -delete
if ! ctest --test-dir "$build" -R '^unit\.' --parallel "$jobs" >"$build/test.log" 2>&1; then
  tail -n 40 "$build/test.log" >&2
  echo "coverage: a test failed ($build/test.log)" >&2
  exit 1
fi
exec python3 -B tools/coverage.py "$build" "$@"
