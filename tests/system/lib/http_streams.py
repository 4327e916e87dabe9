"""An HTTP client that sees each octet: requests as the test writes them, answers as they come."""

import contextlib
import json
import socket
import threading


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Connection:
    def __init__(self, address: str, port: int, *, namespace=None, receive_buffer=0, timeout=15.0):
        with namespace.enter() if namespace else contextlib.nullcontext():
            self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((address, port))
        self.waiting = b""

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def get(self, path: str, method="GET", host="127.0.0.1", **fields) -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"] + [f"{key.replace('_', '-')}: {value}" for key, value in fields.items()]
        self.send("\r\n".join(lines + ["", ""]).encode("ascii"))

    def header(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self.waiting:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError(f"closed after {self.waiting!r}")
            self.waiting += more
        head, self.waiting = self.waiting.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        return int(first.split()[1]), {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}

    def read(self, octets: int) -> bytes:
        """So many, or fewer at the end of the connection."""
        out, self.waiting = self.waiting[:octets], self.waiting[octets:]
        while len(out) < octets:
            more = self.socket.recv(min(octets - len(out), 1 << 20))
            if not more:
                break
            out += more
        return out

    def close(self) -> None:
        self.socket.close()


def fetch(address: str, port: int, path: str, method="GET", namespace=None, host="127.0.0.1", **fields) -> tuple[int, dict, bytes]:
    """One request; the whole answer."""
    connection = Connection(address, port, namespace=namespace)
    try:
        connection.get(path, method, host, Connection="close", **fields)
        status, header = connection.header()
        body = b""
        while more := connection.read(1 << 20):
            body += more
    finally:
        connection.close()
    if header.get("transfer-encoding") == "chunked" and method != "HEAD":
        whole, rest = b"", body
        while rest:
            size, rest = rest.split(b"\r\n", 1)
            whole, rest = whole + rest[:int(size, 16)], rest[int(size, 16) + 2:]
        body = whole
    return status, header, body


def status(address: str, port: int, namespace=None) -> dict:
    return json.loads(fetch(address, port, "/status", namespace=namespace)[2])


class Reader(threading.Thread):
    """Reads a response to its end, or until `close`."""

    def __init__(self, connection: Connection):
        super().__init__(daemon=True)
        self.connection, self.octets, self.ended = connection, bytearray(connection.waiting), False
        connection.waiting = b""
        self.start()

    def run(self):
        try:
            while more := self.connection.socket.recv(1 << 20):
                self.octets += more
            self.ended = True
        except OSError:
            pass

    def close(self):
        try:
            self.connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join()
        self.connection.close()
