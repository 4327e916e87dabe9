"""Which test cites which requirement; used by tools/conformance.py.

Only what runs counts: the text of a TEST(...) with the comment directly above it, a system scenario that
tests/system/CMakeLists.txt names, a script of tests/interop, a fuzz target, and the checkers that the simulator runs.
"""

import dataclasses
import pathlib
import re

# R-5.3.3.7-a, D-8305-a, C-6936-4.2, I-a; "-a,d,e" and "-a..d" abbreviate several.
CITATION = re.compile(r"(?<![\w-])([RDECX]-\d[\dA-Za-z.]*-|[IHPS]-)(?:([a-z](?:(?:,|\.\.)[a-z]\b)*)|(\d+(?:\.[\dx]+)?))(?![\w-])")
# A section of an RFC, as in "R-5.3.3.6.2".
SECTION = re.compile(r"(?<![\w-])([RDEC]-\d[\d.]*\d)(?![\w-])")
TEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\((\w+), (\w+)\)", re.MULTILINE)
ONE_LINE = re.compile(r"\}(\s*//.*)?$")
SYSTEM_TEST = re.compile(r"^\s*amt_system_test\(\S+ (\w+)", re.MULTILINE)
FUZZER = re.compile(r"^\s*amt_fuzzer\((\w+)", re.MULTILINE)


@dataclasses.dataclass(frozen=True, order=True)
class Test:
    name: str
    path: str


def citations(text: str) -> set[str]:
    """The IDs that a text cites, and the sections that it names without a letter."""
    found = set(SECTION.findall(text))
    for stem, letters, number in CITATION.findall(text):
        if number:
            found.add(stem + number)
        for part in letters.split(",") if letters else ():
            first, _, last = part.partition("..")
            found |= {stem + chr(code) for code in range(ord(first), ord(last or first) + 1)}
    return found


def tests_of_cxx(text: str) -> dict[str, str]:
    """The name of each test with its text: the comment lines directly above, the macro and the body."""
    lines = text.splitlines()
    found = {}
    for number, line in enumerate(lines):
        match = TEST.match(line)
        if not match or match.group(2).startswith("DISABLED_"):
            continue
        begin, end = number, number
        while begin > 0 and lines[begin - 1].startswith("//"):
            begin -= 1
        if not ONE_LINE.search(line):
            while end < len(lines) and lines[end] != "}":
                end += 1
        found[f"{match.group(1)}.{match.group(2)}"] = "\n".join(lines[begin:end + 1])
    return found


def _read(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def read_tests(root: pathlib.Path) -> dict[Test, set[str]]:
    """Every test of the tree with the IDs that it cites."""
    found = {}
    for path in sorted([*root.glob("src/**/*_test.cc"), *root.glob("tests/sim/*_test.cc")]):
        for name, text in tests_of_cxx(_read(path)).items():
            found[Test(name, str(path.relative_to(root)))] = citations(text)
    whole = [(f"system/{name}", f"tests/system/{name}.py")
             for name in sorted(set(SYSTEM_TEST.findall(_read(root / "tests/system/CMakeLists.txt"))))]
    whole += [(f"fuzz/{name}", f"tests/fuzz/{name}_fuzz.cc")
              for name in FUZZER.findall(_read(root / "tests/fuzz/CMakeLists.txt"))]
    # The simulator's checkers run after every step of every one of its tests.
    whole += [(f"sim/{path.stem}", str(path.relative_to(root))) for path in sorted((root / "tests/sim").glob("check*.cc"))]
    whole += [(f"interop/{path.stem}", str(path.relative_to(root))) for path in sorted((root / "tests/interop").glob("*.py"))]
    for name, path in whole:
        if (root / path).is_file():
            found[Test(name, path)] = citations(_read(root / path))
    return found


def cited_elsewhere(root: pathlib.Path) -> dict[str, str]:
    """IDs that sources other than tests cite, with one place of each: they prove nothing, but must exist."""
    found = {}
    for path in sorted(root.glob("src/**/*")):
        if path.suffix in (".cc", ".hh"):
            for number, line in enumerate(_read(path).splitlines(), 1):
                for identifier in citations(line):
                    found.setdefault(identifier, f"{path.relative_to(root)}:{number}")
    return found
