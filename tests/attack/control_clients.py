"""Local programs that hold the control socket: silent ones, slow ones, ones that never read, and requests without an end. The
status is told all the same, and the stream goes on.
"""

import contextlib
import socket
import threading

from arena import SECONDS, arena

from lib.background import Background

NEEDS = {"namespaces"}
ASK = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Clients(Background):
    """Comes again as soon as it is put out."""

    def __init__(self, path, begin: bytes, again: bytes, many: int):
        super().__init__()
        self._path, self._begin, self._again, self._many = str(path), begin, again, many
        self._sockets: list[socket.socket] = []
        self.start()

    def _connect(self) -> None:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.setblocking(False)
        try:
            client.connect(self._path)
            if self._begin:
                client.send(self._begin)
            self._sockets.append(client)
        except OSError:
            client.close()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            for client in list(self._sockets):
                try:
                    if self._again:
                        client.send(self._again)
                except BlockingIOError:
                    pass
                except OSError:
                    client.close()
                    self._sockets.remove(client)
            while len(self._sockets) < self._many:
                known = len(self._sockets)
                self._connect()
                if len(self._sockets) == known:
                    break
        for client in self._sockets:
            client.close()


def run(case):
    with arena(case) as place, contextlib.ExitStack() as ending:
        control = place.relay.control
        clients = []

        class Local:
            """As `withstand` knows a program."""
            name, status, err, out = "control clients", 0, "", b"8 kinds"

            @staticmethod
            def wait(_timeout):
                for one in clients:
                    one.close()
                return 0

        def attack():
            for begin, again, many in ((b"", b"", 100), (b"GET /sta", b"", 50), (b"GET /status HTTP/1.1\r\nX: ", b"y", 50),
                                       (ASK * 50, ASK * 20, 50), (b"POST /status HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n",
                                                                  b"x" * 4096, 20), (b"\0" * 4096, b"\0" * 4096, 20)):
                clients.append(Clients(control, begin, again, many))
            ending.callback(Local.wait, 0)
            return Local
        place.withstand("control clients", attack)
        place.recover("control clients")
        place.stop("control clients")
    case.check(threading.active_count() < 20 and SECONDS > 0, "all clients are gone")
