#!/usr/bin/env python3
"""Writes the reference of options, in Markdown.

    tools/reference.py AMT FOLDER

FOLDER/SUBCOMMAND.md: each manual page of the program AMT, whose text comes from the option tables of src/config.
"""

import pathlib
import re
import subprocess
import sys


def plain(roff: str) -> str:
    """Text of one roff line as Markdown has it."""
    text = re.sub(r"\\f([BI])(.*?)\\fR", lambda found: ("`{}`" if found[1] == "B" else "*{}*").format(found[2]), roff)
    for was, now in (("\\-", "-"), ("\\(aq", "`"), ("\\&", ""), ("\\e", "\\")):
        text = text.replace(was, now)
    return text.replace("`[=*", "[=").replace("*]", "]")


def escaped(text: str) -> str:
    """Outside of code, what Markdown or MyST would take for markup."""
    return "".join(part if part.startswith("`") else re.sub(r"([<>{}$|])", r"\\\1", part)
                   for part in re.split(r"(`[^`]*`)", text))


def markdown(roff: str) -> str:
    out, lines, example = [], iter(roff.splitlines()), False
    for line in lines:
        macro, _, rest = line.partition(" ")
        if macro == ".TH":
            out.append("# " + plain(rest.split(" ")[0]).lower() + "\n")
        elif macro in (".SH", ".SS"):
            out.append(("## " if macro == ".SH" else "### ") + plain(rest).capitalize() + "\n")
        elif macro == ".TP":
            term, text = escaped(plain(next(lines))), escaped(plain(next(lines)))
            out.append(f"{term}\n: {text}\n" if not text.startswith("`amt ") else f"{term}\n\n    {text.strip('`')}\n")
        elif macro == ".EX":
            example = True
        elif macro == ".EE":
            example = False
            out.append("")
        elif example:
            out.append("    " + plain(line))
        elif macro != ".PP":
            out.append(escaped(plain(line)) + "\n")
    return "\n".join(out)


def write(amt: str, folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    def ask(*arguments: str) -> str:
        return subprocess.run([amt, *arguments], capture_output=True, text=True, check=True).stdout

    names = ask("subcommands").split()
    for name in names:
        (folder / f"{name}.md").write_text(markdown(ask("man-page", name)), encoding="utf-8")
    index = markdown(ask("man-page")) + "\n```{toctree}\n" + "\n".join(names) + "\n```\n"
    (folder / "index.md").write_text(index, encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1], pathlib.Path(sys.argv[2]))
