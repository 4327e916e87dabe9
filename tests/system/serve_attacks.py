"""Requests that are no good to `amt serve`: smuggled ones, ones that never end, paths to files. Each gets one answer or none, no
file is opened, and those who watch notice nothing.

    amt serve │ HTTP │ this test
"""

import os
import pathlib
import random
import re
import shutil
import signal
import time

from lib import http_streams, loopback
from lib.http_streams import Connection

NEEDS = {"program"}
LORISES = 200
RANDOM = 3000
HOST = b"Host: localhost\r\n"
INNER = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"

# What two servers could read differently: a request, and the statuses that are right.
SMUGGLED = [
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 41\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: identity\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: y\r\n Transfer-Encoding: chunked\r\n\r\n", {200, 400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 41\r\n\r\n" + INNER, {413}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 41\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 0, 41\r\n\r\n" + INNER, {400, 413}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: +41\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 0x29\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + b"Content-Length: 18446744073709551657\r\n\r\n" + INNER, {400, 413}),
    (b"GET /healthz HTTP/1.1\n" + HOST + b"\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n" + INNER, {400}),
    (b"GET /healthz HTTP/1.1\r\nHost: localhost, evil.example\r\n\r\n" + INNER, {400, 421}),
    (b"GET /healthz HTTP/1.1\r\nHost:\r\n evil.example\r\n\r\n", {400, 421}),
    (b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n", {400}),
    (b"GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n", {400}),
    (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {421}),
    (b"GET http://localhost@evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400, 421}),
    (b"GET /healthz HTTP/1.1\r\n HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    (b"GET /healthz\tHTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    (b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    (b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n", {400, 505}),
    (b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n", {400, 505}),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}),
    (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 405}),
    (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404, 405}),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64, {400}),
]
FILES = ["/etc/passwd", "//etc/passwd", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/amt/../../etc/passwd", "/amt/%2fetc%2fpasswd",
         "/hls/239.1.1.1:5000/../../../etc/passwd", "/hls/239.1.1.1:5000/%2e%2e%2fetc%2fpasswd", "/playlist.m3u/../../etc/passwd",
         "/playlist.m3u%00.html", "/./status", "/status/", "/serve.js/../../../etc/passwd", "/proc/self/environ", "/udp/file:%2f%2f%2fetc%2fpasswd",
         "/amt/@/etc/passwd", "/\\..\\..\\etc\\passwd"]


def answers(port: int, request: bytes) -> list[int]:
    """The statuses of all answers until the server closes, or says nothing more."""
    connection = Connection("127.0.0.1", port, timeout=0.3)
    got = b""
    try:
        connection.send(request)
        while more := connection.socket.recv(1 << 16):
            got += more
    except OSError:
        pass
    finally:
        connection.close()
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", got)]


def start(case, port, player, name, prefix=()):
    options = ["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address]
    started = case.program([*prefix, case.amt, *options], name)
    started.wait_ready()
    return started


def check_smuggling(case, port: int) -> None:
    for request, wanted in SMUGGLED:
        connection = Connection("127.0.0.1", port, timeout=10)
        connection.send(request)
        first = connection.header()[0]
        connection.close()
        case.check(first in wanted, f"{request!r}: {first}, not one of {wanted}")
        statuses = answers(port, request)
        case.check(404 not in statuses, f"{request!r}: the hidden request was answered, too: {statuses}")
    pipelined = answers(port, (b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n") * 3)
    case.check(pipelined == [200] * 3, f"three honest requests get three answers: {pipelined}")


def check_lorises(case, port: int, serve) -> None:
    before = serve.resident_octets()
    lorises = [Connection("127.0.0.1", port, timeout=60) for _ in range(LORISES)]
    begun = time.monotonic()
    open_ones = set(range(LORISES))
    slowest = 0.0
    while open_ones and time.monotonic() < begun + 60:
        for number in list(open_ones):
            try:
                lorises[number].send(b"G")
            except OSError:
                open_ones.discard(number)
        asked = time.monotonic()
        case.check(http_streams.fetch("127.0.0.1", port, "/healthz")[0] == 200, "others are answered")
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.3)
    case.check(not open_ones, f"{len(open_ones)} requests that never end are still open")
    case.figure(f"{LORISES} requests that never end are closed after", time.monotonic() - begun, "s")
    case.figure("slowest answer to somebody else meanwhile", slowest * 1000, "ms")
    case.figure("memory that they took", max(serve.resident_octets() - before, 0) / 2**20, "MiB")
    for one in lorises:
        one.close()


def check_noise(case, port: int) -> None:
    """Good requests with octets changed, left out and put in; nobody must be answered wrongly, and nothing end."""
    chance = random.Random(17)
    seeds = [request for request, _ in SMUGGLED] + [b"GET " + path.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in FILES]
    for _ in range(RANDOM):
        request = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(request))
            request[at:at + chance.randrange(3)] = chance.randbytes(chance.randrange(3)) if chance.random() < 0.5 else chance.choice(
                (b"\r\n", b"%00", b"../", b":", b" ", b"\t", b"chunked", b"Content-Length: 5\r\n"))
        connection = Connection("127.0.0.1", port)
        try:
            connection.send(bytes(request))
        except OSError:
            pass
        connection.close()
    case.check(http_streams.fetch("127.0.0.1", port, "/healthz")[0] == 200, "it lives")


def run(case):
    player = loopback.Player(case)
    port = http_streams.free_port()
    serve = start(case, port, player, "serve")
    check_smuggling(case, port)
    for path in FILES:
        status, _, body = http_streams.fetch("127.0.0.1", port, path)
        case.check(status in (400, 404) and b"root:" not in body, f"{path}: {status} {body[:80]!r}")
    check_lorises(case, port, serve)
    check_noise(case, port)
    case.check(serve.status is None, "it lives")
    serve.terminate()

    if not shutil.which("strace"):
        case.note("no file access: not looked at by system calls, strace is not installed")
        return
    trace = case.folder / "trace"
    traced = start(case, port, player, "traced", ["strace", "-f", "-qq", "-e", "trace=%file", "-o", str(trace)])
    http_streams.fetch("127.0.0.1", port, "/healthz")
    before = len(trace.read_text(errors="replace").splitlines())
    case.check(before > 10, "strace sees the start")
    for path in FILES:
        http_streams.fetch("127.0.0.1", port, path)
    check_noise(case, port)
    after = trace.read_text(errors="replace").splitlines()[before:]
    case.check(not after, f"requests open no file: {after[:3]}")
    for child in pathlib.Path(f"/proc/{traced.pid}/task/{traced.pid}/children").read_text(encoding="ascii").split():
        os.kill(int(child), signal.SIGTERM)
    case.check(traced.wait(10) == 0, "and it ends")
