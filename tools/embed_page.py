#!/usr/bin/env python3
"""Writes a C++ source that holds the files of the page:  embed_page.py OUT.cc FILE..."""

import pathlib
import re
import sys

DELIMITER = "amt-page"


def constant(name: str) -> str:
    """`page.css` is kPagePageCss."""
    return "kPage" + "".join(part.capitalize() for part in re.split(r"\W", name))


def main() -> None:
    out, *files = (pathlib.Path(name) for name in sys.argv[1:])
    text = '#include "observe/page_data.hh"\n\nnamespace amt {\n\n'
    for file in files:
        content = file.read_text(encoding="utf-8")
        if f"){DELIMITER}\"" in content:
            sys.exit(f"{file}: contains the delimiter")
        text += f'const std::string_view {constant(file.name)} = R"{DELIMITER}({content}){DELIMITER}";\n'
    out.write_text(text + "\n}  // namespace amt\n", encoding="utf-8")


main()
