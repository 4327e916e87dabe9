"""Fresh Debian systems in folders: one base of a release is made by debootstrap and kept, each use is a layer above it.

Packages come from where this machine's apt takes its own.
"""

import os
import pathlib
import shutil
import subprocess

# Debian's names of the releases that the packages are for.
SUITES = {"12": "bookworm", "13": "trixie"}


class Unavailable(Exception):
    """This machine cannot do it; the text says why."""


class Failed(Exception):
    """A command or a check; the text says which."""


def run(*command, log=None, cwd=None, env=None) -> str:
    """Its standard output; all that it says goes to `log`, too. Failed: its last lines."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    if log is not None:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(str(word) for word in command)}\n{done.stdout}\n")
    if done.returncode != 0:
        last = " | ".join(done.stdout.strip().splitlines()[-4:])
        raise Failed(f"{' '.join(str(word) for word in command)}: status {done.returncode}: {last}")
    return done.stdout


def export(top: pathlib.Path, folder: pathlib.Path) -> None:
    """The sources of the last commit, as a release has them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "-C", top, "archive", "HEAD"], stdout=subprocess.PIPE, check=True).stdout
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)


def _mirrors() -> dict[str, str]:
    """Suite to address, of this machine's apt."""
    lines = run("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)").splitlines()
    return dict(line.split() for line in lines if len(line.split()) == 2)


def _sources(suite: str) -> str:
    """sources.list of a release: that of this machine's, with the other name."""
    mirrors = _mirrors()
    own = next((name for name in SUITES.values() if name in mirrors), None)
    if own is None:
        raise Unavailable(f"this machine's apt has none of {', '.join(SUITES.values())}")
    ends = ("", "-updates", "-security")
    return "".join(f"deb {mirrors[own + end]} {suite + end} main\n" for end in ends if own + end in mirrors)


def base(cache: pathlib.Path, release: str) -> pathlib.Path:
    """The folder with that release, minimal, and up to date when it was made. Minutes at the first time."""
    suite = SUITES[release]
    folder = cache / f"debian-{release}"
    if (folder / "made").exists():
        return folder / "root"
    if os.geteuid() != 0:
        raise Unavailable("debootstrap and chroot are root's")
    if shutil.which("debootstrap", path="/usr/sbin:/usr/bin") is None:
        raise Unavailable("debootstrap is not installed (tools/setup.sh packages)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    sources = _sources(suite)
    run("debootstrap", "--variant=minbase", suite, folder / "root", sources.split()[1], log=folder / "log")
    (folder / "root/etc/apt/sources.list").write_text(sources, encoding="ascii")
    settings = run("apt-config", "dump", "Acquire")
    (folder / "root/etc/apt/apt.conf.d/90host").write_text(
        settings + 'APT::Install-Recommends "false";\nAPT::Sandbox::User "root";\nDpkg::Use-Pty "false";\n', encoding="utf-8")
    # No service starts in a chroot.
    policy = folder / "root/usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    policy.chmod(0o755)
    with Chroot(folder / "root", folder / "update", keep=True) as root:
        root.apt("update")
        root.apt("-y", "dist-upgrade")
    (folder / "made").touch()
    return folder / "root"


class Chroot:
    """A layer above `below` while the context lasts; `keep`: changes `below` itself. `work`: for what it writes, and the log."""

    def __init__(self, below: pathlib.Path, work: pathlib.Path, keep: bool = False):
        self._below, self._work, self._keep = below, work, keep
        self._mounts: list[pathlib.Path] = []
        self.path = below if keep else work / "root"
        self.log = work / "log"

    def __enter__(self) -> "Chroot":
        shutil.rmtree(self._work, ignore_errors=True)
        for name in ("root", "upper", "overlay"):
            (self._work / name).mkdir(parents=True)
        try:
            if not self._keep:
                options = f"lowerdir={self._below},upperdir={self._work}/upper,workdir={self._work}/overlay"
                self._mount(self.path, "-t", "overlay", "-o", options, "overlay")
            self._mount(self.path / "proc", "-t", "proc", "proc")
            self._mount(self.path / "sys", "-t", "sysfs", "-o", "ro", "sysfs")
            self._mount(self.path / "dev", "-t", "tmpfs", "-o", "mode=755", "tmpfs")
            self._make_devices()
            self._mount(self.path / "tmp", "-t", "tmpfs", "tmpfs")
            shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for mount in reversed(self._mounts):
            subprocess.run(["umount", "--lazy", mount], check=False)
        self._mounts.clear()
        if not self._keep:
            for name in ("root", "upper", "overlay"):
                shutil.rmtree(self._work / name, ignore_errors=True)

    def _mount(self, where: pathlib.Path, *words: str) -> None:
        try:
            run("mount", *words, where)
        except Failed as problem:
            raise Unavailable(str(problem)) from problem
        self._mounts.append(where)

    def unmount(self, name: str) -> None:
        """What is mounted at that folder and below: for who reads the files as they are on the disk."""
        folder = self.path / name
        for mount in [one for one in reversed(self._mounts) if one == folder or folder in one.parents]:
            run("umount", mount)
            self._mounts.remove(mount)

    def _make_devices(self) -> None:
        dev = self.path / "dev"
        for name in ("null", "zero", "full", "random", "urandom", "tty", "net/tun"):
            if (there := pathlib.Path("/dev", name)).exists():
                (dev / name).parent.mkdir(exist_ok=True)
                os.mknod(dev / name, 0o020666, there.stat().st_rdev)
                (dev / name).chmod(0o666)
        for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")):
            (dev / name).symlink_to(target)
        for name, kind, options in (("pts", "devpts", "newinstance,ptmxmode=666"), ("shm", "tmpfs", "mode=1777")):
            (dev / name).mkdir()
            self._mount(dev / name, "-t", kind, "-o", options, kind)

    def run(self, *command, cwd: str = "/", **env: str) -> str:
        """As root inside, with a plain environment and `env`."""
        plain = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                 "DEBIAN_FRONTEND": "noninteractive", **env}
        words = [f"{name}={value}" for name, value in plain.items()]
        return run("chroot", self.path, "env", "-i", "--chdir", cwd, *words, *command, log=self.log)

    def apt(self, *words: str) -> str:
        return self.run("apt-get", "-q", *words)

    def has(self, *command) -> bool:
        try:
            self.run(*command)
        except Failed:
            return False
        return True

    def files(self) -> set[str]:
        """Every path, without what the mounts hold and without what apt and dpkg keep for themselves."""
        skipped = ("/proc", "/sys", "/dev", "/tmp", "/run", "/var/lib/apt", "/var/lib/dpkg", "/var/cache", "/var/log")
        prune = " -o ".join(f"-path {name}" for name in skipped)
        return set(self.run("sh", "-c", f"find / \\( {prune} \\) -prune -o -print").splitlines())
