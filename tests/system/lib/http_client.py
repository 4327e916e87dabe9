"""HTTP as a client of the daemon under test would speak it, in the daemon's network namespace."""

import http.client
import json
import socket

PORT = 8080


class Http:
    def __init__(self, namespace, address="127.0.0.1", port=PORT):
        self._namespace, self._address, self._port = namespace, address, port

    def connect(self, timeout=10) -> socket.socket:
        with self._namespace.enter():
            return socket.create_connection((self._address, self._port), timeout=timeout)

    def get(self, target: str, method="GET", **headers) -> tuple[int, dict, bytes]:
        """Status, header fields (names in small letters), body."""
        connection = http.client.HTTPConnection(self._address, self._port, timeout=20)
        connection.sock = self.connect(20)
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    def json(self, target: str):
        return json.loads(self.get(target)[2])

    def raw(self, request: bytes, timeout=10) -> bytes:
        """All that comes back until the server closes."""
        with self.connect(timeout) as connection:
            connection.sendall(request)
            out = b""
            try:
                while piece := connection.recv(65536):
                    out += piece
            except ConnectionResetError:
                pass
            return out

    def samples(self, **headers) -> dict[str, float]:
        """/metrics: by `name{labels}`."""
        text = self.get("/metrics", **headers)[2].decode()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}
