#!/usr/bin/env python3
"""Checks that the pure rooms call nothing that touches the machine: reads the undefined symbols of their archives.

    check_pure_symbols.py ARCHIVE...
`--self-test` compiles a forbidden call and shows that it is found.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

FORBIDDEN = re.compile(
    r"^(socket|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|bind|connect|accept4?|open(at)?|ioctl|poll|epoll_\w+"
    r"|clock_gettime|clock_nanosleep|nanosleep|gettimeofday|time|getrandom|getentropy|random|rand|pthread_\w+|getenv|secure_getenv)"
    r"(@.*)?$"
    r"|_clock::now\(|^std::random_device|^std::thread::")


def forbidden_symbols(archive: str) -> list[str]:
    out = subprocess.run(["nm", "-uC", archive], check=True, capture_output=True, text=True).stdout
    found, member = [], ""
    for line in out.splitlines():
        if line.endswith(":"):
            member = line.rstrip(":")
        # Only "U": weak references are libstdc++ asking whether threads exist.
        match = re.match(r"^\s+U (.*)$", line)
        if match and FORBIDDEN.search(match.group(1)):
            found.append(f"{pathlib.Path(archive).name}({member}): {match.group(1)}")
    return found


def self_test() -> None:
    compiler = os.environ.get("CXX", "c++")
    cases = {
        "#include <sys/socket.h>\nint f() { return socket(1, 2, 3); }": True,
        "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }": True,
        "#include <cstdlib>\nconst char* f() { return getenv(\"A\"); }": True,
        "#include <random>\nunsigned f() { std::random_device device; return device(); }": True,
        "#include <memory>\n#include <vector>\nint f(std::vector<int>& v) { v.push_back(*std::make_shared<int>(1)); return v[0]; }": False,
    }
    with tempfile.TemporaryDirectory() as folder:
        for source, expected in cases.items():
            code, target = pathlib.Path(folder, "a.cc"), pathlib.Path(folder, "a.o")
            code.write_text(source, encoding="utf-8")
            subprocess.run([compiler, "-std=c++20", "-O1", "-c", str(code), "-o", str(target)], check=True)
            assert bool(forbidden_symbols(str(target))) == expected, source
    print("self-test: forbidden calls are found, harmless ones are not")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if "--self-test" in arguments:
        self_test()
        sys.exit(0)
    if not arguments:
        sys.exit(__doc__)
    complaints = [line for archive in arguments for line in forbidden_symbols(archive)]
    print("\n".join(complaints) if complaints else f"{len(arguments)} pure archives touch nothing")
    sys.exit(1 if complaints else 0)
