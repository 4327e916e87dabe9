"""Network namespaces that exist only as open descriptors of this process: nothing is left behind, whatever happens.

A thread is in one namespace at a time; a socket stays in the one it was made in. So one process can play many hosts:

    with host.enter():
        sock = socket.socket(...)
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading

from .patience import PATIENCE

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _call(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


class Namespace:
    def __init__(self, name: str):
        self.name = name
        self._fd = -1
        failure = []

        def create():
            try:
                _call(_libc.unshare(CLONE_NEWNET), "unshare")
                self._fd = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                failure.append(error)

        maker = threading.Thread(target=create)
        maker.start()
        maker.join()
        if failure:
            raise failure[0]
        # No waiting for duplicate address detection: the addresses here are unique.
        for which in ("all", "default"):
            self.sysctl(f"net.ipv6.conf.{which}.accept_dad", 0)
            self.sysctl(f"net.ipv6.conf.{which}.router_solicitations", 0)
        self.ip("link set lo up")

    @contextlib.contextmanager
    def enter(self):
        back = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call(_libc.setns(self._fd, CLONE_NEWNET), "setns")
            yield self
        finally:
            _call(_libc.setns(back, CLONE_NEWNET), "setns")
            os.close(back)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def run(self, *command: str, check=True, text_input: str | None = None, pass_fds=()) -> str:
        with self.enter():
            done = subprocess.run(command, input=text_input, capture_output=True, text=True, timeout=30 * PATIENCE,
                                  check=False, pass_fds=pass_fds)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, *lines: str) -> None:
        """Each line as it would follow the word `ip`."""
        self.run("ip", "-batch", "-", text_input="\n".join(lines) + "\n")

    def sysctl(self, key: str, value) -> None:
        with self.enter(), open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as file:
            file.write(str(value))

    def has_link(self, name: str) -> bool:
        return any(line.split(":")[1].strip().split("@")[0] == name
                   for line in self.run("ip", "-o", "link").splitlines())


def link(left: Namespace, left_name: str, right: Namespace, right_name: str,
         left_addresses=(), right_addresses=(), mtu=1500) -> None:
    """A veth pair between two namespaces, up, with these addresses."""
    left.run("ip", "link", "add", left_name, "mtu", str(mtu), "type", "veth",
             "peer", "name", right_name, "mtu", str(mtu), "netns", f"/proc/self/fd/{right._fd}", pass_fds=(right._fd,))
    for space, name, addresses in ((left, left_name, left_addresses), (right, right_name, right_addresses)):
        space.ip(*(f"addr add {one} dev {name}" + (" nodad" if ":" in one else "") for one in addresses),
                 f"link set {name} up")


def checksum_offload_off(space: Namespace, device: str) -> None:
    """Packets leave this device with finished checksums: ETHTOOL_STXCSUM, what `ethtool -K DEVICE tx off` does."""
    _ethtool(space, device, 0x17, 0)


def receive_offload_on(peer: Namespace, peer_device: str, space: Namespace, device: str) -> None:
    """What arrives at one end of a veth is merged where it can be (GRO), as on a network card: `ethtool -K DEVICE gro on`.
    The kernel does so only if the other end might not merge by itself: `ethtool -K PEER-DEVICE tso off`."""
    _ethtool(peer, peer_device, 0x1F, 0)
    _ethtool(space, device, 0x2C, 1)


def take_redirected(space: Namespace, device: str) -> None:
    """The other end of this veth takes frames from XDP programs, as most network cards do: `ethtool -K DEVICE gro on`."""
    _ethtool(space, device, 0x2C, 1)


def _ethtool(space: Namespace, device: str, command: int, value: int) -> None:
    with space.enter(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = ctypes.create_string_buffer(struct.pack("=II", command, value), 8)
        fcntl.ioctl(control, 0x8946, struct.pack("16sP16x", device.encode(), ctypes.addressof(request)))  # SIOCETHTOOL
