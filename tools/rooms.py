"""The map of the rooms as src/*/CMakeLists.txt draws it; used by the checks beside this file."""

import pathlib
import re

# No sockets, clocks, threads or environment in these; docs/architecture.md says why.
PURE = {"base", "ip", "wire", "membership", "forward", "media", "load", "relay", "gateway", "discovery", "client"}


def read_rooms(src: pathlib.Path) -> dict[str, set[str]]:
    """Each room with the rooms that its CMakeLists.txt names (amt_room's DEPENDS, or amt_* libraries linked)."""
    rooms: dict[str, set[str]] = {}
    for lists in sorted(src.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", lists.read_text(encoding="utf-8"))
        declared = re.search(r"amt_room\(\s*\w+([^)]*)\)", text)
        depends = set()
        if declared:
            words = declared.group(1).split()
            if "DEPENDS" in words:
                for word in words[words.index("DEPENDS") + 1:]:
                    if word == "LINKS":
                        break
                    depends.add(word)
        depends |= set(re.findall(r"\bamt_(\w+)", text)) - {"room", "options"}
        rooms[lists.parent.name] = depends - {lists.parent.name}
    names = set(rooms)
    return {name: depends & names for name, depends in rooms.items()}


def reachable(rooms: dict[str, set[str]], start: str) -> set[str]:
    """All rooms that `start` may include: itself, what it depends on, and through that."""
    seen, todo = set(), [start]
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo.extend(rooms.get(room, ()))
    return seen
