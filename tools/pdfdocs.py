#!/usr/bin/env python3
"""Makes one book of the guides and the generated reference: Sphinx writes one long page, WeasyPrint sets it on paper, with a table
of contents, page numbers and bookmarks.

    tools/pdfdocs.py AMT FILE.pdf
"""

import pathlib
import re
import shutil
import subprocess
import sys

import htmldocs


def contents(text: str) -> str:
    """A list of the chapters and their sections; the page numbers come from docs/print.css."""
    found = re.findall(r'<h([23])>((?:(?!</?h\d).)*?)<a class="headerlink" href="(#[^"]*)"', text, flags=re.DOTALL)
    lines = "".join(f'<li class="level{level}"><a href="{anchor}">{re.sub("<a[^>]*>|</a>", "", title)}</a></li>' for level, title, anchor in found)
    return f'<nav class="contents"><p class="caption">Contents</p><ul>{lines}</ul></nav>'


def main() -> None:
    amt, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    source, page = out.with_name(out.stem + "-pdf-source"), out.with_name(out.stem + "-pdf-page")
    htmldocs.prepare(amt, source)
    htmldocs.build("singlehtml", source, page)
    shutil.copy(htmldocs.TOP / "docs/print.css", page)
    index = page / "index.html"
    text = index.read_text(encoding="utf-8")
    # The theme's rules are for screens.
    text = re.sub(r'<link rel="stylesheet"[^>]*>|<script[^>]*></script>', "", text)
    # Behind the title and the paragraph that says what it is.
    text = text.replace('<div class="toctree-wrapper', contents(text) + '<div class="toctree-wrapper', 1)
    text = text.replace("</head>", '<link rel="stylesheet" href="print.css"></head>')
    index.write_text(text, encoding="utf-8")
    done = subprocess.run(["weasyprint", "--quiet", index, out], check=False)
    if done.returncode != 0 or not out.exists():
        sys.exit("pdfdocs: see above")
    print(f"pdfdocs: {out}, {out.stat().st_size >> 10} KiB")


if __name__ == "__main__":
    main()
