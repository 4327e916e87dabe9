"""The code blocks of the README and the guides."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")),
         ROOT / "tests/fuzz/README.md")
# Fences that hold no commands: a table of contents, a C program that library.py compiles, a drawing.
NO_COMMANDS = ("{toctree}", "c")
DRAWING = "│┌└─"


def blocks(page: pathlib.Path) -> list[list[str]]:
    """Indented blocks and fenced ones, without their indentation."""
    found, block, fence = [], [], None

    def end():
        if block and not any(sign in line for line in block for sign in DRAWING):
            found.append(list(block))
        block.clear()
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if fence not in NO_COMMANDS:
                end()
            block.clear()
            fence = line[3:] if fence is None else None
        elif fence is not None:
            block.append(line)
        elif line.startswith("    ") and not re.match(r" {4,}\* ", line):
            block.append(line[4:])
        else:
            end()
    end()
    return found


def inline(page: pathlib.Path) -> list[str]:
    """Code in a line of text."""
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


def lines_of(block: list[str]) -> list[str]:
    """Those that a backslash continues are one."""
    return re.sub(r"\\\n\s*", "", "\n".join(block)).splitlines()


def commands_of(line: str) -> list[str]:
    """The commands of a line of shell, without comment, prompt and sudo: those of `a && b` and `a & b` apart."""
    line = re.split(r"\s{2,}#", line)[0].strip().removeprefix("$ ")
    return [re.sub(r"(^|\| )sudo ", r"\1", one.strip()) for one in re.split(r"&&| & ", line)]
