"""The map of the rooms as src/*/CMakeLists.txt draws it; used by the checks beside this file."""

import pathlib
import re

# No sockets, clocks, threads or environment in these; docs/architecture.md says why.
PURE = set(re.search(r"set\(AMT_PURE_ROOMS ([^)]*)\)", pathlib.Path(__file__).resolve().parent.parent.joinpath(
    "src/CMakeLists.txt").read_text(encoding="utf-8")).group(1).split())


def read_rooms(src: pathlib.Path) -> dict[str, set[str]]:
    """Each room, by its folder below src, with the rooms that its CMakeLists.txt names (amt_room's DEPENDS, or amt_* libraries
    linked). There a room in a folder of rooms is called engine_relay for engine/relay."""
    rooms: dict[str, set[str]] = {}
    for lists in sorted([*src.glob("*/CMakeLists.txt"), *src.glob("*/*/CMakeLists.txt")]):
        text = re.sub(r"#.*", "", lists.read_text(encoding="utf-8"))
        # A folder of rooms
        if "add_subdirectory" in text:
            continue
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
        rooms[str(lists.parent.relative_to(src))] = depends
    folders = {folder.replace("/", "_"): folder for folder in rooms}
    return {folder: {folders[name] for name in depends if name in folders} - {folder} for folder, depends in rooms.items()}


def room_of(table: dict[str, set[str]], header: str) -> str | None:
    """The room in which a header stands that is included by this name; None: in no room."""
    folder = str(pathlib.PurePosixPath(header).parent)
    return folder if folder in table else None


def reachable(rooms: dict[str, set[str]], start: str) -> set[str]:
    """All rooms that `start` may include: itself, what it depends on, and through that."""
    seen, todo = set(), [start]
    while todo:
        room = todo.pop()
        if room not in seen:
            seen.add(room)
            todo.extend(rooms.get(room, ()))
    return seen
