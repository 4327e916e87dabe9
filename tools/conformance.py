#!/usr/bin/env python3
"""Which test proves which requirement: writes docs/conformance.md.

  tools/conformance.py              write the page
  tools/conformance.py --check      fail when a requirement has neither test nor note, a note is stale, a cited ID does
                                    not exist, a scenario names a test that does not, or the page is not up to date
  tools/conformance.py --self-test  show that each of these can fail

Requirements: docs/requirements.toml. Notes and the list of scenarios: docs/conformance_notes.toml.
"""

import pathlib
import sys
import tempfile
import tomllib

from conformance_tests import Test, cited_elsewhere, read_tests

KINDS = {
    "not applicable": "does not apply to this project",
    "departure": "not followed, on purpose",
    "elsewhere": "held by something that is no test",
    "not built": "belongs to a part that does not exist yet",
    "open": "neither tested nor decided yet",
}
PAGE = "docs/conformance.md"


class Conformance:
    """The requirements, the notes and the tests of one tree, brought together."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.sections = self._toml("docs/requirements.toml")["section"]
        notes = self._toml("docs/conformance_notes.toml")
        self.notes = notes.get("note", [])
        self.remarks = notes.get("remark", [])
        self.scenarios = notes.get("scenario", [])
        self.section_remarks = {one["title"]: one["text"] for one in notes.get("section", [])}
        self.requirements = {one["id"]: one for section in self.sections for one in section["requirements"]}
        self.tests = read_tests(root)
        self.proofs: dict[str, list[Test]] = {identifier: [] for identifier in self.requirements}
        for test, cited in sorted(self.tests.items()):
            for identifier in cited:
                if not self._is_section(identifier):
                    self.proofs.setdefault(identifier, []).append(test)

    def _toml(self, name: str) -> dict:
        return tomllib.loads((self.root / name).read_text(encoding="utf-8"))

    def _is_section(self, cited: str) -> bool:
        """Names a section that has requirements, and claims to prove none of them."""
        return cited not in self.requirements and any(
            one.startswith(cited) and not one[len(cited)].isdigit() for one in self.requirements)

    def problems(self) -> list[str]:
        found = []
        listed = [one["id"] for section in self.sections for one in section["requirements"]]
        found += [f"docs/requirements.toml: {one} stands there twice" for one in sorted(set(listed)) if listed.count(one) > 1]
        for identifier, tests in sorted(self.proofs.items()):
            if identifier not in self.requirements:
                found.append(f"{tests[0].path}: {tests[0].name} cites {identifier}, which is no requirement")
        for identifier, where in sorted(cited_elsewhere(self.root).items()):
            if identifier not in self.proofs and not self._is_section(identifier):
                found.append(f"{where}: cites {identifier}, which is no requirement")
        found += self._problems_of_notes()
        noted = {note["id"] for note in self.notes}
        for identifier in self.requirements:
            if not self.proofs[identifier] and identifier not in noted:
                found.append(f"{identifier}: no test cites it, and docs/conformance_notes.toml has no note for it")
        names = {test.name for test in self.tests}
        for scenario in self.scenarios:
            for name in scenario["tests"]:
                if name not in names:
                    found.append(f"docs/conformance_notes.toml: scenario {scenario['number']}: there is no test {name}")
            for identifier in scenario["proves"]:
                if identifier not in self.requirements:
                    found.append(f"docs/conformance_notes.toml: scenario {scenario['number']}: no requirement {identifier}")
        page = self.root / PAGE
        if not found and (not page.is_file() or page.read_text(encoding="utf-8") != self.page()):
            found.append(f"{PAGE} is not up to date: run tools/conformance.py")
        return found

    def _problems_of_notes(self) -> list[str]:
        found, seen = [], set()
        for note in self.notes:
            identifier, where = note["id"], f"docs/conformance_notes.toml: note on {note['id']}"
            if identifier not in self.requirements:
                found.append(f"{where}: no such requirement")
            elif self.proofs[identifier]:
                found.append(f"{where} is stale: {self.proofs[identifier][0].name} cites it")
            if identifier in seen:
                found.append(f"{where} stands there twice")
            seen.add(identifier)
            if note["kind"] not in KINDS:
                found.append(f"{where}: kind `{note['kind']}`, use one of {', '.join(KINDS)}")
            if len(note.get("reason", "")) < 20:
                found.append(f"{where}: no reason that one can check")
        titles = {section["title"] for section in self.sections}
        found += [f"docs/conformance_notes.toml: remark on a section that does not exist: {title}"
                  for title in self.section_remarks if title not in titles]
        for remark in self.remarks:
            if not self.proofs.get(remark["id"]):
                found.append(f"docs/conformance_notes.toml: remark on {remark['id']}, which no test cites")
        return found

    def page(self) -> str:
        lines = ["# Conformance", "",
                 "Every requirement that this project is held to, and the test that proves it. Generated by "
                 "`make conformance` from [requirements.toml](requirements.toml), "
                 "[conformance_notes.toml](conformance_notes.toml) and the tests themselves: a test counts where it cites "
                 "the ID. `ctest -L check` fails when a requirement has neither test nor note, or when this page is not up "
                 "to date. `make mutation` breaks requirements one at a time and shows that the tests notice.", ""]
        lines += self._totals() + self._sections() + self._scenarios()
        return "\n".join(lines) + "\n"

    def _totals(self) -> list[str]:
        total = len(self.requirements)
        tested = sum(bool(self.proofs[identifier]) for identifier in self.requirements)
        untested = {note["id"]: note["kind"] for note in self.notes}
        lines = ["| of the requirements | | |", "|---|---:|---:|", f"| all | {total} | 100 % |",
                 f"| proven by a test | {tested} | {100 * tested // total} % |"]
        for kind, meaning in KINDS.items():
            count = sum(one == kind for one in untested.values())
            if count:
                lines.append(f"| {kind}: {meaning} | {count} | {100 * count / total:.1f} % |")
        return [*lines, ""]

    def _sections(self) -> list[str]:
        notes = {note["id"]: note for note in self.notes}
        remarks = {remark["id"]: remark["text"] for remark in self.remarks}
        lines = ["Level: M must, S should, O may, N normative by description; role: G gateway, R relay, B both.", ""]
        for section in self.sections:
            lines += [f"## {section['title']}", ""]
            if section["title"] in self.section_remarks:
                lines += [self.section_remarks[section["title"]], ""]
            lines += ["| ID | RFC, level, role | requirement | how proven |", "|---|---|---|---|"]
            for one in section["requirements"]:
                if self.proofs[one["id"]]:
                    how = ", ".join(self._link(test) for test in self.proofs[one["id"]])
                    how += f". {remarks[one['id']]}" if one["id"] in remarks else ""
                else:
                    note = notes.get(one["id"], {"kind": "open", "reason": ""})
                    how = f"**{note['kind']}**: {note['reason']}"
                where = " ".join(word for word in (one["rfc"], one["level"], one["role"]) if word != "-")
                lines.append(f"| {one['id']} | {where} | {_cell(one['text'])} | {_cell(how)} |")
            lines.append("")
        return lines

    def _scenarios(self) -> list[str]:
        paths = {test.name: test for test in self.tests}
        lines = ["## By scenario", "", "| | scenario | requirements | tests |", "|---:|---|---|---|"]
        for one in self.scenarios:
            tests = ", ".join(self._link(paths[name]) for name in one["tests"] if name in paths)
            lines.append(f"| {one['number']} | {_cell(one['text'])} | {', '.join(one['proves'])} | {tests} |")
        return lines

    @staticmethod
    def _link(test: Test) -> str:
        return f"[{test.name}](../{test.path})"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def self_test() -> None:
    requirements = ('[[section]]\ntitle = "t"\nrequirements = [\n'
                    + "".join(f'{{ id = "{one}", rfc = "1", level = "M", role = "B", text = "does" }},\n'
                              for one in ("R-1.2-a", "R-1.2-b", "C-6936-4.2", "I-a")) + "]\n")
    note = '[[note]]\nid = "I-a"\nkind = "elsewhere"\nreason = "held by the compiler, for one"\n'
    test = ("// R-1.2-a,b: says so\nTEST(Suite, Holds) {\n  f();\n}\n\n"
            "// far above: I-a\n\nTEST(Suite, Other) {\n  f();  // C-6936-4.2\n}\n")

    def tree(note=note, test=test, code="", fresh=True, scenario="") -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"docs/requirements.toml": requirements, "docs/conformance_notes.toml": note + scenario,
                               "src/wire/a_test.cc": test, "src/wire/a.cc": code, PAGE: "old"}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            if fresh:
                (root / PAGE).write_text(Conformance(root).page(), encoding="utf-8")
            return Conformance(root).problems()

    assert tree() == [], tree()
    for what, options in {
        "neither test nor note": {"note": ""},
        "a comment that stands apart from the test": {"note": note.replace("I-a", "R-1.2-a")},
        "a test that is switched off": {"test": test.replace("Holds", "DISABLED_Holds")},
        "a test that cites what does not exist": {"test": test + "// R-9.9-z\nTEST(Suite, Third) {\n}\n"},
        "a test that cites no section of ours": {"test": test + "// R-1.3\nTEST(Suite, Third) {\n}\n"},
        "a range that goes too far": {"test": test + "// R-1.2-a..c\nTEST(Suite, Third) {\n}\n"},
        "what stands below a test of one line": {"test": "TEST(A, B) { f(); }\n// I-a\nint x = {\n};\n\n" + test,
                                                 "note": ""},
        "a section in place of an ID": {"test": test.replace("R-1.2-a,b", "R-1.2")},
        "a source that cites what does not exist": {"code": "// X-9-9\n"},
        "a stale note": {"note": note + note.replace("I-a", "R-1.2-b")},
        "a note on nothing": {"note": note + note.replace("I-a", "I-z")},
        "a note twice": {"note": note + note},
        "a note of no known kind": {"note": note.replace("elsewhere", "later")},
        "a note without a reason": {"note": note.replace("held by the compiler, for one", "no")},
        "a remark on what no test cites": {"note": note + '[[remark]]\nid = "I-a"\ntext = "so"\n'},
        "a remark on no section": {"note": note + '[[section]]\ntitle = "u"\ntext = "so"\n'},
        "a scenario with no such test": {"scenario": '[[scenario]]\nnumber = 1\ntext = "s"\nproves = []\ntests = ["A.B"]\n'},
        "a scenario with no such ID": {"scenario": '[[scenario]]\nnumber = 1\ntext = "s"\nproves = ["I-z"]\ntests = []\n'},
        "an old page": {"fresh": False},
    }.items():
        assert tree(**options), f"not noticed: {what}"
    print("self-test: everything that --check looks at can fail")


def main() -> int:
    if "--self-test" in sys.argv:
        self_test()
        return 0
    conformance = Conformance(pathlib.Path(__file__).resolve().parent.parent)
    if "--check" in sys.argv:
        complaints = conformance.problems()
        print("\n".join(complaints) if complaints else f"all {len(conformance.requirements)} requirements accounted for")
        return 1 if complaints else 0
    (conformance.root / PAGE).write_text(conformance.page(), encoding="utf-8")
    print("\n".join(conformance.page().split("\n## ", 1)[0].splitlines()[4:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
