#!/usr/bin/env python3
"""Writes a C++ source that holds the files of the page:  embed_page.py OUT.cc FILE..."""

import pathlib
import re
import sys

DELIMITER = "amt-page"
# Compilers must take string literals of 65 536 octets (C++20, annex B), not more.
LITERAL_OCTETS_MAX = 60_000


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
        octets = content.encode("utf-8")
        if len(octets) <= LITERAL_OCTETS_MAX:
            text += f'const std::string_view {constant(file.name)} = R"{DELIMITER}({content}){DELIMITER}";\n'
            continue
        numbers = ",".join(str(octet - 256 if octet > 127 else octet) for octet in octets)
        text += f"static constexpr char {constant(file.name)}Octets[] = {{{numbers}}};\n"
        text += f"const std::string_view {constant(file.name)}({constant(file.name)}Octets, {len(octets)});\n"
    out.write_text(text + "\n}  // namespace amt\n", encoding="utf-8")


main()
