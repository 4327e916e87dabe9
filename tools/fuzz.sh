#!/usr/bin/env bash
# Builds the libFuzzer targets (tests/fuzz) and runs each from its committed corpus, as many at a time as there are cores.
#   tools/fuzz.sh [TARGET...]       default: all targets
# Environment:
#   FUZZ_SECONDS=10                 how long each target runs ...
#   FUZZ_RUNS=10000000              ... or how many executions it makes
#   JOBS                            how many at a time, default: one for each core
#   FUZZ_CORPUS=FOLDER              keep what is found interesting in FOLDER/TARGET; default: thrown away
# Prints the executions and the speed of each target. A finding is kept in build/asan/findings and its replay command
# printed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
number() {
  [[ $2 =~ ^[1-9][0-9]{0,9}$ ]] || { echo "fuzz: $1 is a number above 0, not '$2'" >&2; exit 2; }
}
seconds=${FUZZ_SECONDS:-10}
number FUZZ_SECONDS "$seconds"
limit=(-max_total_time="$seconds")
if [ -n "${FUZZ_RUNS:-}" ]; then
  number FUZZ_RUNS "$FUZZ_RUNS"
  limit=(-runs="$FUZZ_RUNS")
fi
jobs=${JOBS:-$(nproc)}
number JOBS "$jobs"
build=build/asan
findings=$build/findings
mkdir -p "$findings"
known=()
for source in tests/fuzz/*_fuzz.cc; do
  source=${source##*/}
  known+=("${source%_fuzz.cc}")
done
[ $# -gt 0 ] || set -- "${known[@]}"
for target in "$@"; do
  [[ " ${known[*]} " == *" $target "* ]] || { echo "fuzz: no target '$target'; there are: ${known[*]}" >&2; exit 2; }
done
if ! { cmake --preset asan && cmake --build --preset asan --parallel "$jobs" --target "${@/#/fuzz_}"; } >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  echo "fuzz: the targets do not build ($build/build.log)" >&2
  exit 1
fi

# An input is as long as its target can use: a state machine's operations cost time, a parser's octets hardly any.
octets_max() {
  case $1 in
    relay | gateway) echo 48 ;;
    router_state | host | querier) echo 64 ;;
    reassembler) echo 96 ;;
    discovery | sap) echo 400 ;;
    *) echo 160 ;;
  esac
}
# Short stacks and a small quarantine: allocations are most of what the state machines' targets do.
export ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=2:quarantine_size_mb=8}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Runs one target and says what came out. Fails on a finding.
run() {
  local target=$1 program corpus start status spent executions
  program=$build/tests/fuzz/fuzz_$target
  corpus=${FUZZ_CORPUS:-$scratch}/$target
  mkdir -p "$corpus"
  start=$EPOCHREALTIME
  "$program" "${limit[@]}" -max_len="$(octets_max "$target")" -entropic=0 -timeout=10 -rss_limit_mb=2048 \
    -malloc_limit_mb=64 -print_final_stats=1 -artifact_prefix="$findings/$target-" \
    "$corpus" "tests/fuzz/corpus/$target" >"$scratch/$target.log" 2>&1
  status=$?
  spent=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000 + 1))
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/$target.log")
  if [ "$status" -eq 0 ]; then
    echo "fuzz: $target: ${executions:-0} executions in $((spent / 1000)) s," \
      "$((${executions:-0} * 1000 / spent)) a second, no finding"
  else
    tail -n 40 "$scratch/$target.log" >&2
    echo "fuzz: $target: FINDING after ${executions:-?} executions; replay: $program $findings/$target-..." >&2
    return 1
  fi
}
failed=0
running=0
for target in "$@"; do
  if [ "$running" -eq "$jobs" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run "$target" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit $failed
