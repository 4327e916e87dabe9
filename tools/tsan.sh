#!/usr/bin/env bash
# Runs what has threads under the thread sanitizer: the relay's engine with several workers under churn, who asks for its
# status meanwhile, its end in the middle of everything, timers, the log, events, flow records and the HTTP server.
#   tools/tsan.sh [GTEST_FILTER]
set -euo pipefail
cd "$(dirname "$0")/.."
filter=${1:-*/RelayEngineWith.*:*/RelayStatusWith.*:TooBigDesk*:Timer.*:ReadWatch.*:LogWriter*:LogLimiter*:EventLogTest.*:FlowExporter.*:HttpServerTest.*}
# The sanitizer's memory map does not fit the address-space randomisation of newer kernels, and it has a thread of its own,
# with which a process cannot enter a user namespace: it is entered before.
inside=()
[ "$(id -u)" = 0 ] || inside=(unshare --user --map-root-user --net)
for room in sys engine_runtime engine_relay observe; do
  TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1" \
    setarch --addr-no-randomize "${inside[@]}" "build/tsan/src/${room/_//}/${room}_test" --gtest_filter="$filter" --gtest_brief=1
done
