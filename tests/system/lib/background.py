"""Threads that end when they are told to."""

import select
import socket
import threading

SO_RCVBUFFORCE = 33
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
    """Gives every datagram of a socket to `handle`. A subclass calls `start` when it is ready for them."""

    def __init__(self, reading: socket.socket):
        super().__init__()
        self.socket = reading
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
            try:
                octets, peer = self.socket.recvfrom(65535)
            except OSError:
                continue  # an ICMP error for something sent earlier
            self.handle(octets, peer)

    def handle(self, octets: bytes, peer) -> None:
        raise NotImplementedError

    def close(self) -> None:
        super().close()
        self.socket.close()
