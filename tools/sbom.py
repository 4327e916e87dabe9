#!/usr/bin/env python3
"""Prints a bill of materials (SPDX 2.3, JSON) of a program that was built on a Debian system: its own version and commit, the
packages whose shared libraries it loads, and the header-only libraries that are compiled in.

    tools/sbom.py AMT >amtkit.spdx.json
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
# Of tools/packages.txt, section build: what leaves code in the program without a shared library.
COMPILED_IN = ("libboost1.81-dev", "libboost-dev", "libcli11-dev", "libtomlplusplus-dev", "libexpected-dev")


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def loaded_packages(program: str) -> set[str]:
    found = set()
    for path in re.findall(r"=> (/\S+)|^\s*(/\S+)", ask("ldd", program), re.M):
        file = os.path.realpath(path[0] or path[1])
        # Where /lib is a link to /usr/lib dpkg may know the file by either name.
        for name in (file, file.removeprefix("/usr")):
            if owner := ask("dpkg-query", "-S", name).partition(": ")[0]:
                found.add(owner.split(":")[0])
                break
        else:
            sys.exit(f"sbom: no package has {file}")
    return found


def version_of(package: str) -> str:
    return ask("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package).removeprefix("installed ").strip()


def entry(name: str, version: str, **more) -> dict:
    return {"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name, "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", **more}


def main() -> None:
    program = sys.argv[1]
    line = ask(program, "--version").strip()
    match = re.match(r"amt (\S+)(?: \(commit (\S+)\))?", line) or sys.exit(f"sbom: {program} --version: {line!r}")
    digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
    own = entry("amtkit", match[1], licenseDeclared="BSD-2-Clause", copyrightText="2026, the amtkit authors",
                primaryPackagePurpose="APPLICATION", comment=f"commit {match[2] or 'unknown'}",
                checksums=[{"algorithm": "SHA256", "checksumValue": digest}])
    packages, relations = [own], [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                                   "relatedSpdxElement": own["SPDXID"]}]
    libraries = [(name, "DYNAMIC_LINK") for name in sorted(loaded_packages(program))]
    libraries += [(name, "STATIC_LINK") for name in COMPILED_IN if version_of(name)]
    for name, how in libraries:
        version = version_of(name)
        packages.append(entry(name, version, externalRefs=[{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:deb/debian/{name}@{version}"}]))
        relations.append({"spdxElementId": own["SPDXID"], "relationshipType": how, "relatedSpdxElement": packages[-1]["SPDXID"]})
    created = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    json.dump({"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"amtkit-{match[1]}",
               "documentNamespace": f"https://spdx.org/spdxdocs/amtkit-{match[1]}-{digest[:16]}",
               "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", created), "creators": ["Tool: tools/sbom.py"]},
               "packages": packages, "relationships": relations}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
