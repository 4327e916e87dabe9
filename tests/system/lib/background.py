"""Threads that end when they are told to."""

import fcntl
import select
import socket
import struct
import termios
import threading
import time

SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
TIMESPEC = struct.Struct("=qq")
RECEIVE_BUFFER_OCTETS = 16 << 20


class Background(threading.Thread):
    """Runs until `close`, which may be called more than once."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def close(self) -> None:
        self.ended.set()
        if self.is_alive():
            self.join()


class SocketReader(Background):
    """Gives every datagram of a socket to `handle`. A subclass calls `start` when it is ready for them.

    `arrived` is then when the kernel had the datagram, by time.monotonic: a thread that waits for its turn on a busy
    machine does not make it later.
    """

    def __init__(self, reading: socket.socket):
        super().__init__()
        self.socket = reading
        self.arrived = 0.0
        self._turn = threading.Lock()
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        # What comes while this thread waits for its turn on a busy machine. Only the machine's root may have as much as that.
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)

    def run(self) -> None:
        while not self.ended.is_set():
            if not select.select([self.socket], [], [], 0.05)[0]:
                continue
            with self._turn:
                try:
                    octets, ancillary, _, peer = self.socket.recvmsg(65535, socket.CMSG_SPACE(TIMESPEC.size))
                except OSError:
                    continue  # an ICMP error for something sent earlier
                self.arrived = time.monotonic()
                for level, kind, data in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                        seconds, nanoseconds = TIMESPEC.unpack(data)
                        self.arrived -= max(0.0, time.time() - seconds - nanoseconds / 1e9)
                self.handle(octets, peer)

    def drain(self) -> None:
        """Returns when all that had arrived before is handled."""
        while True:
            with self._turn:
                [waiting] = struct.unpack("i", fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)))
                if not waiting:
                    return
            time.sleep(0.001)

    def handle(self, octets: bytes, peer) -> None:
        raise NotImplementedError

    def close(self) -> None:
        super().close()
        self.socket.close()
