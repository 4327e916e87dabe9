#!/usr/bin/env bash
# Runs what has threads under the thread sanitizer: the relay's engine with several workers under churn.
#   tools/tsan.sh [GTEST_FILTER]
set -euo pipefail
cd "$(dirname "$0")/.."
filter=${1:-RelayEngineWith.*:*/RelayEngineWith.*:TooBigDesk*:EventLoop*}
# The sanitizer's memory map does not fit the address-space randomisation of newer kernels, and it has a thread of its own,
# with which a process cannot enter a user namespace: it is entered before.
inside=()
[ "$(id -u)" = 0 ] || inside=(unshare --user --map-root-user --net)
TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" \
  setarch --addr-no-randomize "${inside[@]}" build/tsan/src/engine/engine_test --gtest_filter="$filter" --gtest_brief=1
