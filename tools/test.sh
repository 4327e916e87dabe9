#!/usr/bin/env bash
# Runs the tests of one built preset and closes with one line: N passed, N failed, N skipped.
#   tools/test.sh PRESET [LABEL...]     labels: unit check sim system attack (default: all)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
preset=${1:?preset}
shift
[ $# -gt 0 ] || set -- unit check sim system attack
labels="^($(IFS='|'; echo "$*"))\$"
build=build/$preset
results=$build/results.xml
# System tests mostly wait, each in network namespaces of its own: more of them than cores. Those that put load on are serial.
jobs=$(($(nproc) * 4))
ctest --test-dir "$build" -L "$labels" -j "$jobs" --no-tests=error --output-on-failure --output-junit results.xml
status=$?
python3 - "$results" <<'PYTHON'
import sys
import xml.etree.ElementTree as xml

try:
    root = xml.parse(sys.argv[1]).getroot()
except OSError as error:
    sys.exit(f"no results: {error}")
skipped, failed, passed = [], [], 0
for case in root.iter("testcase"):
    name, status = case.get("name"), case.get("status")
    if status == "run":
        passed += 1
    elif case.find("skipped") is not None or status in ("notrun", "disabled"):
        out = case.findtext("system-out") or ""
        reasons = [line.partition("SKIPPED")[2].lstrip(": ") for line in out.splitlines() if "SKIPPED" in line]
        skipped.append((name, reasons[-1] if reasons else "not run"))
    else:
        failed.append(name)
for name, reason in skipped:
    print(f"SKIPPED {name}: {reason}")
for name in failed:
    print(f"FAILED {name}")
print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
PYTHON
exit "$status"
