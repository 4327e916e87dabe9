"""A guest with real systemd and AppArmor: a fresh Debian in which the packages are not yet installed, started twice.

The disk has the packages, and in apt's own cache what they depend on: the guest has no network to the outside.
"""

import os
import pathlib
import shutil
import sys
import time

from chroot import Chroot, Failed, Unavailable, run
from installed import NAMES, other_version, outside, put

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))
import machine  # noqa: E402

DISK_MB = 3000
SYSTEM = ("linux-image-cloud-amd64", "systemd-sysv", "udev", "kmod", "initramfs-tools", "zstd", "iproute2", "procps", "python3",
          "libcap2-bin", "apparmor", "dbus", "util-linux")
# Two cards on one wire: the upstream, and the card that the source gets.
WIRE = tuple(word for card in ("0", "1") for word in (
    "-netdev", f"hubport,id=n{card},hubid=0", "-device", f"virtio-net-pci,netdev=n{card},mac=52:54:00:00:00:0{card}"))
UNIT = """[Unit]
Description=The test of the packages
After=multi-user.target
[Service]
Type=idle
ExecStart=/usr/bin/python3 -B /test/inside.py
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=graphical.target
"""
NETWORK = "[Match]\nName=eth0\n[Network]\nAddress=198.51.100.1/24\nGateway=198.51.100.254\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def make_disk(base: pathlib.Path, work: pathlib.Path, debs: dict[str, pathlib.Path]) -> tuple[pathlib.Path, ...]:
    """The kernel, its first file system, the disk."""
    if shutil.which("mke2fs", path="/usr/sbin:/sbin") is None:
        raise Unavailable("mke2fs is not installed")
    kernel, initramfs, disk = work / "vmlinuz", work / "initrd.img", work / "disk"
    with Chroot(base, work) as root:
        root.apt("-y", "install", *SYSTEM)
        later = other_version(debs["amtkit"], "99", work)
        # Downloaded only: the guest installs them.
        root.apt("-y", "--download-only", "satisfy", outside(debs))
        test = root.path / "test"
        test.mkdir()
        shutil.copy(HERE / "inside.py", test)
        for name in put(root, debs, NAMES):
            shutil.move(root.path / name.lstrip("/"), test)
        shutil.copy(later, test / "later.deb")
        etc = root.path / "etc"
        (etc / "systemd/system/amtkit-test.service").write_text(UNIT, encoding="ascii")
        (etc / "systemd/network/10-upstream.network").write_text(NETWORK, encoding="ascii")
        (etc / "fstab").write_text("/dev/vda / ext4 rw 0 1\n", encoding="ascii")
        (etc / "hostname").write_text("guest\n", encoding="ascii")
        (root.path / "usr/sbin/policy-rc.d").unlink()
        root.run("systemctl", "enable", "systemd-networkd", "amtkit-test")
        root.run("systemctl", "set-default", "graphical.target")
        root.run("systemctl", "mask", "serial-getty@ttyS0.service", "systemd-networkd-wait-online.service")
        for name, target in (("vmlinuz", kernel), ("initrd.img", initramfs)):
            [found] = (root.path / "boot").glob(name + "-*")
            shutil.copy(found, target)
        with open(disk, "wb") as file:
            file.truncate(DISK_MB << 20)
        # Without what is mounted there.
        for name in ("tmp", "dev", "sys", "proc"):
            root.unmount(name)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-d", root.path, disk, log=root.log)
    return kernel, initramfs, disk


def boot(files: tuple[pathlib.Path, ...], console: pathlib.Path, seconds_max: float, on_line) -> None:
    kernel, initramfs, disk = files
    devices = ("-drive", f"file={disk},if=virtio,format=raw,cache=unsafe", *WIRE)
    parameters = "root=/dev/vda rw net.ifnames=0 systemd.show_status=no apparmor=1 security=apparmor"
    guest = machine.Guest(kernel, initramfs, console, parameters, os.environ.get("ACCEL", "tcg"), on_line, devices)
    if problem := guest.run(seconds_max):
        raise Failed(f"{problem}; see {console}")


def from_install_to_purge(base: pathlib.Path, work: pathlib.Path, debs: dict[str, pathlib.Path], say) -> None:
    if shutil.which(machine.QEMU) is None:
        raise Unavailable(f"{machine.QEMU} is not installed")
    start = time.monotonic()
    files = make_disk(base, work, debs)
    say(f"made a disk in {time.monotonic() - start:.0f} s")
    said: list[str] = []

    def on_line(text: str) -> None:
        said.append(text)
        say(text)
    for number in ("1", "2"):
        start = time.monotonic()
        boot(files, work / f"console-{number}.log", float(os.environ.get("SECONDS_MAX", "1200")), on_line)
        say(f"start {number} of the guest took {time.monotonic() - start:.0f} s")
    bad = [text for text in said if text.startswith("FAIL")]
    if bad or "end: 2" not in said:
        raise Failed(bad[0] if bad else f"the guest ended before it was done; see {work}/console-2.log")
