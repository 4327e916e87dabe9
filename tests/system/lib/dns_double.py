"""A name server of the tests' own, by UDP and TCP, that says how it was asked."""

import socket
import struct
import threading

from . import background

A, AAAA, OPT, DS, DNSKEY, AMTRELAY = 1, 28, 41, 43, 48, 260
NO_ERROR, NAME_ERROR = 0, 3


def _name(message: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while message[at] != 0:
        labels.append(message[at + 1:at + 1 + message[at]].decode("ascii"))
        at += 1 + message[at]
    return ".".join(labels).lower() + ".", at + 5


class Asked:
    def __init__(self, octets: bytes, by: str, peer: str):
        self.name, self.end = _name(octets)
        self.kind = struct.unpack("!H", octets[self.end - 4:self.end - 2])[0]
        self.by, self.peer = by, peer
        additional = struct.unpack("!H", octets[10:12])[0]
        self.edns = additional > 0 and octets[self.end:self.end + 3] == b"\0" + struct.pack("!H", OPT)
        self.wants_authenticated = bool(octets[3] & 0x20)

    def __repr__(self) -> str:
        return f"{self.name} {self.kind} by {self.by}"


class Server:
    """Answers `records` ({(name, type): data}) at `address` of `host`, which may be link-local: `fe80::1%r1`. Questions of a
    type in `silent` are never answered."""

    def __init__(self, host, address: str, records: dict[tuple[str, int], bytes], silent=()):
        self.records, self.silent, self.asked = records, silent, []
        with host.enter():
            where = socket.getaddrinfo(address, 53, type=socket.SOCK_DGRAM)[0]
            self.udp = socket.socket(where[0], socket.SOCK_DGRAM)
            self.tcp = socket.socket(where[0], socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for one in (self.udp, self.tcp):
                one.bind(where[4])
            self.tcp.listen(16)
        self._readers = [_Datagrams(self.udp, self), _Streams(self.tcp, self)]

    def answer(self, octets: bytes, by: str, peer) -> bytes | None:
        asked = Asked(octets, by, peer[0])
        self.asked.append(asked)
        if asked.kind in self.silent:
            return None
        found = self.records.get((asked.name, asked.kind))
        known = any(name == asked.name for name, _ in self.records)
        code = NO_ERROR if known else NAME_ERROR
        head = octets[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if found else 0, 0, 0)
        record = b"\xc0\x0c" + struct.pack("!HHIH", asked.kind, 1, 60, len(found)) + found if found else b""
        return head + octets[12:asked.end] + record

    def close(self) -> None:
        for one in self._readers:
            one.close()


class _Datagrams(background.SocketReader):
    def __init__(self, reading: socket.socket, server: Server):
        super().__init__(reading)
        self._server = server
        self.start()

    def handle(self, octets: bytes, peer) -> None:
        if (answer := self._server.answer(octets, "udp", peer)) is not None:
            self.socket.sendto(answer, peer)


class _Streams(background.Background):
    def __init__(self, listening: socket.socket, server: Server):
        super().__init__()
        self._listening, self._server = listening, server
        self._listening.settimeout(0.05)
        self.start()

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                stream, peer = self._listening.accept()
            except OSError:
                continue
            threading.Thread(target=self._serve, args=(stream, peer), daemon=True).start()

    def _serve(self, stream: socket.socket, peer) -> None:
        with stream:
            stream.settimeout(5)
            try:
                while head := stream.recv(2, socket.MSG_WAITALL):
                    octets = stream.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                    answer = self._server.answer(octets, "tcp", peer)
                    if answer is None:
                        return
                    stream.sendall(struct.pack("!H", len(answer)) + answer)
            except OSError:
                return

    def close(self) -> None:
        super().close()
        self._listening.close()
