#!/usr/bin/env python3
"""Makes a site of the guides and the generated reference (Sphinx with MyST). A warning is an error: each link inside the site must
lead somewhere.

    tools/htmldocs.py AMT FOLDER     FOLDER/index.html
"""

import pathlib
import re
import shutil
import subprocess
import sys

import reference

TOP = pathlib.Path(__file__).resolve().parent.parent
SOURCES = "the sources"


def outward(page: str) -> str:
    """Links to files that are no pages of the site become text."""
    return re.sub(r"\[([^\]]*)\]\((?:\.\./)+([^)#]*)[^)]*\)", rf"\1 (`\2` in {SOURCES})", page)


def whole_index(source: pathlib.Path) -> str:
    """index.md says the order; a page that it does not name comes last, so that none is forgotten."""
    pages = {page.relative_to(source).with_suffix("").as_posix() for page in source.rglob("*.md")}
    lines = (source / "index.md").read_text(encoding="utf-8").splitlines()
    named = {line for line in lines if re.fullmatch(r"[a-z][a-z/-]*", line)}
    for name in sorted(named - pages):
        sys.exit(f"htmldocs: docs/index.md names {name}, which is not there")
    more = sorted(pages - named - {"index"} - {page for page in pages if page.startswith("reference/")})
    if more:
        lines += ["", "```{toctree}", ":caption: More", ":maxdepth: 1", "", *more, "```"]
    return "\n".join(lines) + "\n"


def prepare(amt: str, source: pathlib.Path) -> None:
    """The pages in `source` as Sphinx takes them, with those that are generated."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(TOP / "docs", source)
    reference.write(amt, source / "reference")
    for page in source.rglob("*.md"):
        page.write_text(outward(page.read_text(encoding="utf-8")), encoding="utf-8")
    (source / "index.md").write_text(whole_index(source), encoding="utf-8")


def build(builder: str, source: pathlib.Path, out: pathlib.Path, *words: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    version = re.search(r"project\(amtkit VERSION ([0-9.]+)", (TOP / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
    done = subprocess.run(["sphinx-build", "-q", "-W", "--keep-going", "-n", "-b", builder, "-D", f"version={version}",
                           "-D", f"release={version}", *words, str(source), str(out)], check=False)
    shutil.rmtree(out / ".doctrees", ignore_errors=True)
    (out / ".buildinfo").unlink(missing_ok=True)
    if done.returncode != 0:
        sys.exit(f"{pathlib.Path(sys.argv[0]).stem}: see above")


def main() -> None:
    amt, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    source = out.with_name(out.name + "-source")
    prepare(amt, source)
    build("html", source, out)
    print(f"htmldocs: {out}/index.html, {len(list(out.rglob('*.html')))} pages")


if __name__ == "__main__":
    main()
