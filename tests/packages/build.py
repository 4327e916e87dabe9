"""The packages built in a fresh system of a release, from what `git archive` gives: does it build there, and are these the same
octets as those built elsewhere?"""

import hashlib
import pathlib
import shutil

from chroot import Chroot, Failed, export

# Another depth, another name, another time zone than tools/deb.sh has.
FOLDER = "/build/another/place/amtkit"


def digests(folder: pathlib.Path) -> dict[str, str]:
    return {deb.name: hashlib.sha256(deb.read_bytes()).hexdigest() for deb in sorted(folder.glob("*.deb"))}


def build(base: pathlib.Path, work: pathlib.Path, top: pathlib.Path, jobs: int) -> pathlib.Path:
    """The folder with the packages. Minutes, and all processors that `jobs` allows."""
    out = work / "packages"
    with Chroot(base, work) as root:
        sources = root.path / FOLDER.lstrip("/")
        export(top, sources)
        root.apt("-y", "install", "build-essential", "fakeroot")
        root.run("apt-get", "-q", "-y", "build-dep", "./", cwd=FOLDER)
        root.run("dpkg-buildpackage", "-b", "-us", "-uc", cwd=FOLDER, DEB_BUILD_OPTIONS=f"nocheck parallel={jobs}",
                 TZ="Pacific/Chatham", LC_ALL="C")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        for deb in sources.parent.glob("*.deb"):
            shutil.copy(deb, out)
    if not list(out.glob("*.deb")):
        raise Failed("no package came out")
    return out


def warnings(log: pathlib.Path) -> list[str]:
    """Of the compiler, each once."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return sorted({line.strip() for line in lines if ": warning: " in line})


def compare(one: pathlib.Path, other: pathlib.Path) -> str:
    """Failed: the packages that differ."""
    first, second = digests(one), digests(other)
    if not first or first.keys() != second.keys():
        raise Failed(f"{one} has {sorted(first)}, {other} has {sorted(second)}")
    different = [name for name in first if first[name] != second[name]]
    if different:
        raise Failed(f"different octets: {', '.join(different)}; diffoscope {one} {other} says where")
    return f"{len(first)} packages, the same octets"
