#!/usr/bin/env bash
# Formats the C++ sources by .clang-format. With --check: changes nothing, fails and lists what would change.
set -euo pipefail
cd "$(dirname "$0")/.."
# One version formats, so that two people's trees do not differ.
formatter=$(command -v clang-format-14 || command -v clang-format || true)
[ -n "$formatter" ] || { echo "format: clang-format-14 is missing; tools/setup.sh lint installs it" >&2; exit 1; }
mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.cc' '*.hh' '*.h')
[ ${#files[@]} -gt 0 ] || exit 0
if [ "${1:-}" = --check ]; then
  "$formatter" --dry-run --Werror "${files[@]}"
else
  "$formatter" -i "${files[@]}"
fi
