"""The packages in a fresh system without systemd running: installed, used, upgraded, removed, purged. Nothing may be left."""

import pathlib
import shutil

from chroot import Chroot, Failed, export, run

NAMES = ("amtkit", "libamt0", "libamt-dev", "amtkit-doc")
# A program of somebody else, by CMake.
CONSUMER = """cmake_minimum_required(VERSION 3.18)
project(watch LANGUAGES C)
find_package(amt 0.1 REQUIRED)
add_executable(watch /usr/share/doc/libamt-dev/examples/watch.c)
target_link_libraries(watch PRIVATE amt::amt)
"""


def check(holds: bool, problem: str) -> None:
    if not holds:
        raise Failed(problem)


def field(deb: pathlib.Path, name: str) -> str:
    return run("dpkg-deb", "--field", deb, name).strip()


def other_version(deb: pathlib.Path, version: str, work: pathlib.Path) -> pathlib.Path:
    """The same package under another version."""
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    run("dpkg-deb", "--raw-extract", deb, unpacked)
    control = unpacked / "DEBIAN/control"
    was = field(deb, "Version")
    text = control.read_text(encoding="utf-8").replace(f"\nVersion: {was}\n", f"\nVersion: {version}\n")
    control.write_text(text.replace(f"(= {was})", f"(= {version})"), encoding="utf-8")
    out = work / deb.name.replace(was, version)
    run("dpkg-deb", "--root-owner-group", "--build", unpacked, out)
    return out


def put(root: Chroot, debs: dict[str, pathlib.Path], names: tuple[str, ...]) -> list[str]:
    """Copies them in; their paths there."""
    for name in names:
        shutil.copy(debs[name], root.path / "tmp")
    return [f"/tmp/{debs[name].name}" for name in names]


def outside(debs: dict[str, pathlib.Path]) -> str:
    """What the packages depend on, but for each other."""
    needs = []
    for name in NAMES:
        needs += [need.strip() for need in field(debs[name], "Depends").split(",")]
    return ", ".join(sorted({need for need in needs if need and need.split()[0] not in NAMES}))


def use_program(root: Chroot) -> None:
    said = root.run("amt", "--version")
    check(said.startswith("amt "), said)
    pages = root.run("sh", "-c", "ls /usr/share/man/man1/amt*.1.gz").split()
    check(len(pages) > 10, f"manual pages: {pages}")
    for role in ("relay", "gateway"):
        # The last option is what is complained of, so the file was read.
        done = root.run("sh", "-c", f"amt {role} --config /etc/amt/{role}.toml --relay-port 0 2>&1; echo status $?")
        check("--relay-port 0" in done and "status 2" in done, done)
    check(root.has("getent", "passwd", "amt"), "the user amt was not made")
    check(root.has("test", "-e", "/usr/share/doc/amtkit/html/index.html"), "the guides")


def use_library(root: Chroot) -> None:
    root.apt("-y", "install", "gcc", "libc6-dev", "pkg-config", "cmake", "make")
    example = "/usr/share/doc/libamt-dev/examples/watch.c"
    root.run("sh", "-c", f"cc -Wall -Werror {example} $(pkg-config --cflags --libs amt) -o /tmp/watch")
    (root.path / "tmp/consumer").mkdir()
    (root.path / "tmp/consumer/CMakeLists.txt").write_text(CONSUMER, encoding="ascii")
    root.run("cmake", "-S", "/tmp/consumer", "-B", "/tmp/consumer/build")
    root.run("cmake", "--build", "/tmp/consumer/build")
    for program in ("/tmp/watch", "/tmp/consumer/build/watch"):
        said = root.run("sh", "-c", f"{program} nonsense 2>&1; true")
        check("amt://" in said, f"{program}: {said}")


def install_and_purge(base: pathlib.Path, work: pathlib.Path, debs: dict[str, pathlib.Path], say) -> None:
    """`say` gets what was done, a line each."""
    with Chroot(base, work) as root:
        root.apt("-y", "satisfy", outside(debs))
        before, users = root.files(), root.run("getent", "passwd")
        version = field(debs["amtkit"], "Version")
        older = {name: other_version(debs[name], version + "~", work) for name in NAMES}
        root.apt("-y", "install", *put(root, older, NAMES))
        (root.path / "etc/amt/relay.toml").write_text('upstream = ["eth0"]\n', encoding="ascii")
        say(f"installed {version}~")
        root.apt("-y", "install", *put(root, debs, NAMES))
        check((root.path / "etc/amt/relay.toml").read_text(encoding="ascii") == 'upstream = ["eth0"]\n', "an edited file stays")
        check(root.run("dpkg-query", "-W", "-f=${Version}", "amtkit") == version, "the new version")
        check(root.run("dpkg", "--audit") == "", "dpkg --audit")
        say(f"upgraded to {version}, an edited /etc/amt/relay.toml stayed")
        (root.path / "etc/amt/relay.toml").write_bytes((root.path / "etc/amt/gateway.toml").read_bytes())
        use_program(root)
        say(f"ran {root.run('amt', '--version').strip()}")
        root.apt("-y", "remove", *NAMES)
        check(not root.has("test", "-e", "/usr/bin/amt"), "removed, and the program is there")
        check(root.has("test", "-e", "/etc/amt/relay.toml"), "removed, and the configuration is gone")
        root.run("dpkg", "--purge", "amtkit")
        left = sorted(root.files() - before)
        check(not left, f"left after purge: {left}")
        check(root.run("getent", "passwd") == users, f"users after purge: {root.run('getent', 'passwd')}")
        check("amt" not in root.run("ls", "/run", "/var/log", "/var/lib"), "left in /run, /var")
        say("removed and purged, nothing left")
    with Chroot(base, work) as root:
        root.apt("-y", "install", *put(root, debs, ("libamt0", "libamt-dev")))
        use_library(root)
        say("built the example with libamt-dev, by pkg-config and by CMake")


def autopkgtest(base: pathlib.Path, work: pathlib.Path, debs: dict[str, pathlib.Path], top: pathlib.Path, say) -> None:
    """debian/tests against the installed packages. Their restriction isolation-machine is for machines that forbid
    namespaces in a chroot; root's here may make them."""
    with Chroot(base, work) as root:
        export(top, work / "sources")
        done = run("autopkgtest", "--ignore-restrictions=isolation-machine", "--no-built-binaries",
                   *(debs[name] for name in NAMES), work / "sources", "--", "chroot", root.path, log=root.log)
        for line in done.splitlines():
            if " PASS" in line or "SKIP" in line or "FAIL" in line:
                say(line)
