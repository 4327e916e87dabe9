#!/usr/bin/env bash
# Builds the libFuzzer targets (tests/fuzz) and runs each for a while, from its committed corpus into a scratch copy.
#   tools/fuzz.sh [SECONDS [TARGET...]]     default: FUZZ_SECONDS or 10, all targets
# Prints the executions of each target. A finding is kept in build/fuzz/findings and its replay command printed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-${FUZZ_SECONDS:-10}}
[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || { echo "fuzz: SECONDS is a number from 1 to 999999, not '$seconds'" >&2; exit 2; }
shift $(($# > 0 ? 1 : 0))
build=build/fuzz
findings=$build/findings
mkdir -p "$findings"
if ! { cmake --preset fuzz && cmake --build --preset fuzz --target fuzzers; } >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  echo "fuzz: the targets do not build ($build/build.log)" >&2
  exit 1
fi
if [ $# -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cc; do
    source=${source##*/}
    set -- "$@" "${source%_fuzz.cc}"
  done
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
for target in "$@"; do
  program=$build/tests/fuzz/fuzz_$target
  [ -x "$program" ] || { echo "fuzz: no target '$target' in tests/fuzz" >&2; exit 2; }
  mkdir -p "$scratch/$target" "tests/fuzz/corpus/$target"
  cp -r "tests/fuzz/corpus/$target/." "$scratch/$target"
  "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings/$target-" "$scratch/$target" >"$scratch/$target.log" 2>&1
  status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$target.log")
  if [ $status -eq 0 ]; then
    echo "fuzz: $target: ${executions:-0} executions in $seconds s, no finding"
  else
    failed=1
    tail -n 40 "$scratch/$target.log" >&2
    echo "fuzz: $target: FINDING after ${executions:-?} executions; replay: $program $findings/$target-..." >&2
  fi
done
exit $failed
