#!/usr/bin/env bash
# Line coverage of the pure rooms by their unit tests, the simulation and the committed fuzz corpora.
#   tools/coverage.sh       builds preset `coverage`, runs the tests, prints a table; fails below 90 %
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=build/coverage
jobs=${JOBS:-$(nproc)}
mkdir -p "$build"
if ! { cmake --preset coverage && cmake --build --preset coverage --parallel "$jobs" --target pure_tests; } \
  >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  echo "coverage: the tests do not build ($build/build.log)" >&2
  exit 1
fi
# Counters add up over runs; this is about one.
find "$build" -name '*.gcda' -delete
mapfile -t rooms < <(python3 tools/coverage.py --rooms)
tests=$(printf 'unit\\.%s|' "${rooms[@]}")
if ! ctest --test-dir "$build" -R "^(${tests}replay\\.[a-z_]+|sim)\$" -E 'replay\.(config|offload)' --parallel "$jobs" >"$build/test.log" 2>&1; then
  tail -n 40 "$build/test.log" >&2
  echo "coverage: a test failed ($build/test.log)" >&2
  exit 1
fi
exec python3 tools/coverage.py "$build"
