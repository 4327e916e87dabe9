#!/usr/bin/env bash
# Installs what tools/packages.txt lists under the given sections, and only what is missing.
#   tools/setup.sh build test
# Needs root, or sudo, when something is missing; otherwise it needs nothing and changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
list=tools/packages.txt

usage() {
  echo "usage: tools/setup.sh SECTION...   sections: $(sed -n 's/^\[\(.*\)\]$/\1/p' "$list" | tr '\n' ' ')" >&2
  exit 2
}
[ $# -gt 0 ] || usage
for section in "$@"; do
  grep -qx "\[$section\]" "$list" || usage
done

# Prints the needs of one section, a line each: "first | second".
needs_of() {
  awk -v want="[$1]" '/^\[/ { inside = ($0 == want); next } inside && NF && !/^#/' "$list"
}
all_needs() {
  for section in "$@"; do needs_of "$section"; done | sort -u
}

if ! command -v dpkg-query >/dev/null; then
  # Another distribution: we cannot name its packages, but we can say what is missing.
  missing=()
  for tool in c++ cmake ninja pkg-config python3; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  for module in libsodium libnl-route-3.0 spdlog fmt; do
    pkg-config --exists "$module" 2>/dev/null || missing+=("$module (development files)")
  done
  [ ${#missing[@]} -eq 0 ] && exit 0
  echo "setup: this is not a Debian system, please install by its own means:" >&2
  printf '  %s\n' "${missing[@]}" >&2
  echo "setup: the Debian names of everything stand in $list" >&2
  exit 1
fi

installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}
any_installed() {
  local name
  for name in ${1//|/ }; do
    if installed "$name"; then return 0; fi
  done
  return 1
}

missing=()
while IFS= read -r need; do
  any_installed "$need" || missing+=("$need")
done < <(all_needs "$@")
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: missing packages and neither root nor sudo; please have installed:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${#missing[@]} missing packages"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update

# Of each need's alternatives, the first that this release has.
chosen=()
unknown=()
for need in "${missing[@]}"; do
  found=
  for name in ${need//|/ }; do
    if [ -n "$(apt-cache madison "$name" 2>/dev/null)" ]; then
      found=$name
      break
    fi
  done
  if [ -n "$found" ]; then chosen+=("$found"); else unknown+=("$need"); fi
done
if [ ${#unknown[@]} -gt 0 ]; then
  echo "setup: this release has no package named:" >&2
  printf '  %s\n' "${unknown[@]}" >&2
  exit 1
fi
# The daemons among them (smcroute, FRR) are for tests, which start their own in namespaces: none shall run on this machine
# because of us. Debian's way to say so is a policy-rc.d that answers 101.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod +x "$policy"
fi
# `env`: sudo drops the variable, and tshark's package would ask a question.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends install "${chosen[@]}" >/dev/null
echo "setup: done"
