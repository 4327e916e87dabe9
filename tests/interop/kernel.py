"""The distribution's kernel for the guest, and its AMT driver: from packages that are unpacked, not installed.

Debian builds its kernels without the driver (CONFIG_AMT is not set), but ships its source. One file is compiled
against the headers of exactly that kernel. The outcome is kept by version in build/interop/kernel-VERSION/.
"""

import pathlib
import re
import shutil
import subprocess
import tarfile
import time

# Of the source package: the driver, and the kernel's own test of it.
DRIVER, SELFTEST = "drivers/net/amt.c", "tools/testing/selftests/net/amt.sh"
# What the guest loads besides amt, and what these need.
MODULES = ("veth", "tun", "bridge")


class Unavailable(Exception):
    """This machine cannot get or build it; the text says why."""


def _run(*command: str, cwd: pathlib.Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise Unavailable(f"{' '.join(command[:3])}: {last}")
    return done.stdout


def _depends(package: str) -> list[str]:
    """The packages of the kernel itself that this one depends on."""
    lines = _run("apt-cache", "--no-recommends", "--no-suggests", "depends", package).splitlines()
    names = [line.split("Depends:")[1].strip() for line in lines if "Depends:" in line and "PreDepends" not in line]
    return [name for name in names if name.startswith("linux-")]


def _version(package: str) -> str:
    found = re.search(r"^Version: (\S+)$", _run("apt-cache", "--no-all-versions", "show", package), re.MULTILINE)
    if not found:
        raise Unavailable(f"apt knows no version of {package}")
    return found[1]


class Packages:
    """What is needed of the kernel in the release's package lists."""

    def __init__(self):
        images = [name for name in _depends("linux-image-amd64") if name.startswith("linux-image-")]
        if not images:
            raise Unavailable("linux-image-amd64 names no kernel")
        self.image = images[0]
        self.release = self.image.removeprefix("linux-image-")
        self.version = _version(self.image)
        self.source = "linux-source-" + ".".join(self.version.split(".")[:2])
        self.headers = []
        todo = ["linux-headers-" + self.release]
        while todo:
            name = todo.pop()
            if name not in self.headers:
                self.headers.append(name)
                todo += _depends(name)

    def download(self, folder: pathlib.Path) -> dict[str, pathlib.Path]:
        """Package name to file. The driver must come from the source of exactly this kernel."""
        pinned = [f"{self.image}={self.version}", f"{self.source}={self.version}", *self.headers]
        _run("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *pinned, cwd=folder)
        return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


def _update_lists(root: list[str]) -> None:
    """`apt-get update`, which waits for nobody: somebody else may hold its lock."""
    for attempt in range(5):
        try:
            _run(*root, "apt-get", "-qq", "update")
            return
        except Unavailable:
            if attempt == 4:
                raise
            time.sleep(10)


def _extract(source_deb: pathlib.Path, work: pathlib.Path) -> None:
    """`work`/driver/amt.c and `work`/amt.sh."""
    _run("dpkg-deb", "-x", str(source_deb), str(work / "source"))
    [archive] = (work / "source/usr/src").glob("linux-source-*.tar.*")
    (work / "driver").mkdir()
    targets = {DRIVER: work / "driver/amt.c", SELFTEST: work / "amt.sh"}
    with tarfile.open(archive) as tar:
        for member in tar:  # not `extractfile(name)`, which reads a gigabyte to its end, once for each
            if target := targets.pop(member.name.partition("/")[2], None):
                target.write_bytes(tar.extractfile(member).read())
            if not targets:
                return
    raise Unavailable(f"{source_deb.name} has no {', '.join(targets)}")


def _compile_driver(unpacked: pathlib.Path, release: str, work: pathlib.Path) -> None:
    headers = unpacked / "usr/src" / f"linux-headers-{release}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("/usr/src/", f"{unpacked}/usr/src/"), encoding="utf-8")
    driver = work / "driver"
    (driver / "Makefile").write_text("obj-m := amt.o\n", encoding="ascii")
    # Type information would need the kernel with its debugging symbols.
    _run("make", "-C", str(headers), f"M={driver}", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
    _run("strip", "--strip-debug", str(driver / "amt.ko"))


def needs_of(module: pathlib.Path) -> list[str]:
    """The names after `depends=` in its .modinfo section."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", module.read_bytes())
    return [name for name in found[1].decode("ascii").split(",") if name] if found else []


def _collect_modules(unpacked: pathlib.Path, release: str, driver: pathlib.Path, out: pathlib.Path) -> list[str]:
    """Copies amt and MODULES with what they need; their names in an order in which they can be loaded."""
    shipped = {path.name.removesuffix(".ko").replace("-", "_"): path
               for path in (unpacked / "lib/modules" / release).rglob("*.ko")}
    if not shipped:
        # Since Debian 13 /lib is a link to /usr/lib, and modules are compressed; the guest's insmod wants them plain.
        for path in (unpacked / "usr/lib/modules" / release).rglob("*.ko*"):
            if path.suffix == ".xz":
                _run("xz", "-dk", str(path))
            plain = path.with_suffix("") if path.suffix == ".xz" else path
            shipped[plain.name.removesuffix(".ko").replace("-", "_")] = plain
    shipped["amt"] = driver
    order: list[str] = []

    def take(name: str) -> None:
        if name in order or name not in shipped:  # not shipped: built into the kernel
            return
        for need in needs_of(shipped[name]):
            take(need)
        order.append(name)
        shutil.copy(shipped[name], out / f"{name}.ko")
    for name in (*MODULES, "amt"):
        take(name)
    return order


def provide(cache: pathlib.Path, root: list[str]) -> pathlib.Path:
    """The folder with vmlinuz, the modules, `order`, in which to load them, and amt.sh, the kernel's own test. `root`: what makes a command root's."""
    try:
        packages = Packages()
    except Unavailable:
        _update_lists(root)
        packages = Packages()
    done = cache / f"kernel-{packages.version}"
    if (done / "order").exists() and (done / "amt.sh").exists():
        return done
    work = cache / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(done, ignore_errors=True)
    work.mkdir(parents=True)
    print(f"interop: fetching {packages.image} {packages.version}, its headers and its source", flush=True)
    try:
        files = packages.download(work)
    except Unavailable:
        _update_lists(root)
        packages = Packages()
        done = cache / f"kernel-{packages.version}"
        files = packages.download(work)
    unpacked = work / "unpacked"
    for name in (packages.image, *packages.headers):
        _run("dpkg-deb", "-x", str(files[name]), str(unpacked))
    print("interop: compiling amt.ko", flush=True)
    _extract(files[packages.source], work)
    _compile_driver(unpacked, packages.release, work)
    fresh = work / "done"
    fresh.mkdir()
    shutil.copy(unpacked / "boot" / f"vmlinuz-{packages.release}", fresh / "vmlinuz")
    order = _collect_modules(unpacked, packages.release, work / "driver/amt.ko", fresh)
    shutil.copy(work / "amt.sh", fresh / "amt.sh")
    (fresh / "order").write_text("\n".join(order) + "\n", encoding="ascii")
    fresh.rename(done)
    shutil.rmtree(work)
    return done
