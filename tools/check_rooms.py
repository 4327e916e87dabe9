#!/usr/bin/env python3
"""Checks that the rooms of src/ include only what their CMakeLists.txt lets them.

  * an #include "room/file.hh" names the own room, or one that is depended on, directly or through another;
  * the public API (include/amt) includes nothing but itself and the standard library;
  * a pure room depends on pure rooms only, and includes no header of sockets, threads or clocks;
  * no room depends on itself through others;
  * every .cc stands in the folder of a room: no build compiles another, a test neither.
`--self-test` shows on small made-up trees that each rule can fail.
"""

import pathlib
import re
import sys
import tempfile

import rooms as map_of

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
MACHINE_HEADERS = re.compile(
    r"^(sys/(?!types\.h)|net/|linux/|netlink/|arpa/|unistd\.h|poll\.h|fcntl\.h|pthread\.h|signal\.h|time\.h|ctime$"
    r"|thread$|mutex$|shared_mutex$|condition_variable$|future$|boost/asio|spdlog/|uv\.h)")
# inet_pton and inet_ntop are pure functions of their arguments.
ALLOWED_IN_PURE = {"arpa/inet.h"}


def problems(root: pathlib.Path) -> list[str]:
    found = []
    table = map_of.read_rooms(root / "src")
    for room, depends in table.items():
        if any(room in map_of.reachable(table, other) for other in depends):
            found.append(f"src/{room}: depends on itself through {', '.join(sorted(depends))}")
        if room in map_of.PURE:
            for other in sorted(depends - map_of.PURE):
                found.append(f"src/{room}/CMakeLists.txt: a pure room depends on {other}, which touches the machine")
        allowed = map_of.reachable(table, room)
        for path in sorted((root / "src" / room).rglob("*")):
            if path.suffix not in (".cc", ".hh", ".h"):
                continue
            test = path.name.endswith("_test.cc")
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                where = f"{path.relative_to(root)}:{number}"
                own, system = match.groups()
                if own:
                    target = map_of.room_of(table, own)
                    if own.startswith("amt/"):
                        if not (root / "include" / own).is_file():
                            found.append(f"{where}: include/{own} does not exist")
                    elif target is None:
                        found.append(f'{where}: "{own}" names no room; write "room/file.hh"')
                    elif target not in allowed:
                        found.append(f"{where}: {room} may not include {target} (src/{room}/CMakeLists.txt)")
                elif room in map_of.PURE and not test and system not in ALLOWED_IN_PURE and MACHINE_HEADERS.match(system):
                    found.append(f"{where}: <{system}> in a pure room")
    for path in sorted((root / "src").rglob("*.cc")):
        if str(path.parent.relative_to(root / "src")) not in table:
            found.append(f"{path.relative_to(root)}: stands in no room, so it is not compiled")
    for path in sorted((root / "include").rglob("*.h*")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) and not match.group(1).startswith("amt/"):
                found.append(f'{path.relative_to(root)}:{number}: the public API includes "{match.group(1)}"')
    return found


def self_test() -> None:
    def tree(files: dict[str, str]) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "include/amt").mkdir(parents=True)
            base = {"src/base/CMakeLists.txt": "amt_room(base)", "src/ip/CMakeLists.txt": "amt_room(ip DEPENDS base)",
                    "src/sys/CMakeLists.txt": "amt_room(sys DEPENDS ip LINKS PkgConfig::SODIUM)"}
            for name, text in {**base, **files}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return problems(root)

    fine = {"src/sys/a.cc": '#include "base/x.hh"\n#include <sys/socket.h>\n', "src/ip/b.cc": "#include <arpa/inet.h>\n"}
    assert tree(fine) == [], tree(fine)
    for name, files in {
        "upward include": {"src/base/a.hh": '#include "ip/x.hh"\n'},
        "no such room": {"src/ip/a.hh": '#include "header.hh"\n'},
        "machine header in a pure room": {"src/ip/a.cc": "#include <sys/socket.h>\n"},
        "thread in a pure room": {"src/ip/a.cc": "#include <thread>\n"},
        "pure room on a touching one": {"src/relay/CMakeLists.txt": "amt_room(relay DEPENDS sys)"},
        "upward include of a room in a folder of rooms": {
            "src/hall/CMakeLists.txt": "add_subdirectory(low)\nadd_subdirectory(high)", "src/hall/low/CMakeLists.txt": "amt_room(hall_low)",
            "src/hall/high/CMakeLists.txt": "amt_room(hall_high DEPENDS hall_low)", "src/hall/low/a.cc": '#include "hall/high/x.hh"\n'},
        "circle": {"src/base/CMakeLists.txt": "amt_room(base DEPENDS sys)"},
        "test beside the rooms of a folder": {
            "src/hall/CMakeLists.txt": "add_subdirectory(low)", "src/hall/low/CMakeLists.txt": "amt_room(hall_low)", "src/hall/a_test.cc": ""},
        "public API looks inside": {"include/amt/a.hh": '#include "base/x.hh"\n'},
    }.items():
        assert tree(files), f"not noticed: {name}"
    print("self-test: every rule can fail")


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
        sys.exit(0)
    complaints = problems(pathlib.Path(__file__).resolve().parent.parent)
    print("\n".join(complaints) if complaints else "the rooms include only what they may")
    sys.exit(1 if complaints else 0)
