#!/usr/bin/env bash
# Builds the Debian packages of the commit that is checked out, in build/deb, has lintian look at them, and lists their materials.
#   DEB_BUILD_OPTIONS (default nocheck: `make test` has run the tests)   OUT (default build/deb)
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
version=$(dpkg-parsechangelog -S Version)
project=$(sed -n 's/^project(amtkit VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[ "$version" = "$project" ] || { echo "deb: debian/changelog says $version, CMakeLists.txt says $project" >&2; exit 1; }
out=$(realpath -m "${OUT:-build/deb}")
rm -rf "$out"
mkdir -p "$out/amtkit-$version"
git archive HEAD | tar -x -C "$out/amtkit-$version"
cd "$out/amtkit-$version"
# Signatures and dates are the distributor's; the date in the files is the changelog's.
DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-nocheck parallel=$(nproc)}" \
  dpkg-buildpackage -b -us -uc >"$out/build.log" 2>&1 || { tail -40 "$out/build.log" >&2; exit 1; }
cd "$out"
lintian --fail-on error,warning ./*.changes
sha256sum ./*.deb
SOURCE_DATE_EPOCH=$(cd "amtkit-$version" && dpkg-parsechangelog -S Timestamp) \
  "$top/tools/sbom.py" "amtkit-$version/debian/amtkit/usr/bin/amt" >"amtkit_$version.spdx.json"
