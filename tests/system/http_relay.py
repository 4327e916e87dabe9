"""A relay with `--http`: each path, bad requests, limits, Host; and what clients do does not reach the stream.

    source ── relay (HTTP on 127.0.0.1:8080 there) ══ our own gateway
"""

import json
import socket
import time

from lib.http_client import Http
from lib.multicast import sequence_report
from lib.topology import SSM, Line

NEEDS = {"namespaces"}


def paths(case, http, endpoint) -> None:
    status, header, body = http.get("/")
    case.check(status == 200 and header["content-type"].startswith("text/html") and b"<title>" in body, f"the page: {header}")
    policy = header["content-security-policy"]
    case.check("default-src 'none'" in policy and "unsafe" not in policy and header["x-content-type-options"] == "nosniff", policy)
    case.check("access-control-allow-origin" not in header, f"no CORS: {header}")
    for part in ("/page.js", "/page.css", "/plot.js", "/tables.js", "/icon.svg", "/counters.json"):
        case.check(http.get(part)[0] == 200, part)
    status, header, body = http.get("/status.json")
    whole = json.loads(body)
    case.check(status == 200 and header["content-type"] == "application/json" and whole["role"] == "relay", f"{header}")
    case.check([one["endpoint"] for one in whole["tunnels"]] == [endpoint] and len(whole["channels"]) == 1, f"{whole}")
    case.check("tunnels" not in http.json("/status.json?tunnels=0"), "tunnels=0")
    case.check(http.json(f"/status.json?limit=1&after={endpoint}")["tunnels"] == [], "after the last")
    case.check(http.json("/status.json?list=tunnels&sort=bytes&top=5&offset=1")["tunnels"] == [], "offset")
    case.check(http.json("/history.json?span=hour&after=0")["columns"][2] == "gateways", "history")
    for method, target, wanted in (("GET", "/nothing", 404), ("POST", "/status.json", 405), ("DELETE", "/", 405),
                                   ("GET", "/status.json?limit=many", 400), ("GET", "/status.json?colour=red", 400),
                                   ("GET", "/history.json?span=year", 400)):
        status, header, body = http.get(target, method)
        case.check(status == wanted and json.loads(body)["error"], f"{method} {target}: {status} {body}")
    case.check(http.get("/", "POST")[1]["allow"] == "GET, HEAD", "Allow")
    status, header, body = http.get("/metrics", "HEAD")
    case.check(status == 200 and body == b"" and header["content-type"].startswith("text/plain"), f"HEAD: {header}")


def bad_requests(case, http) -> None:
    for request, wanted in ((b"nonsense\r\n\r\n", b"400"), (b"GET / HTTP/1.1\r\n\r\n", b"400"),
                            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
                            (b"GET page HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", b"400"),
                            (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + 20000 * b"x" + b"\r\n\r\n", b"431"),
                            (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\n12345", b"413")):
        answer = http.raw(request)
        case.check(answer.startswith(b"HTTP/1.1 " + wanted), f"{request[:60]}: {answer[:80]}")
    for host, wanted in (("evil.example", 421), ("evil.example:8080", 421), ("127.0.0.1.evil.example", 421),
                         ("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("relay.test", 200)):
        status, _, body = http.get("/healthz", Host=host)
        case.check(status == wanted, f"Host {host}: {status} {body}")
    answer = http.raw(b"GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    case.check(answer.startswith(b"HTTP/1.1 421"), f"absolute form: {answer[:80]}")
    together = http.raw(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20 +
                        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    case.check(together.count(b"HTTP/1.1 404") == 20 and together.rindex(b"HTTP/1.1 200") > together.rindex(b"HTTP/1.1 404"),
               f"pipelined: {together[-300:]}")


def slow_clients(case, http) -> None:
    """They hold no place for long, and keep nobody out."""
    slow = [http.connect() for _ in range(100)]
    for one in slow:
        try:
            one.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        except OSError:
            pass  # it had to give way already
    case.check(http.get("/healthz")[0] == 200, "a newcomer is served")

    def is_closed(connection) -> bool:
        connection.setblocking(False)
        try:
            return connection.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    # One octet a second would do for a server that counts from the last octet.
    def drip() -> bool:
        for one in slow:
            try:
                one.send(b"x")
            except OSError:
                pass
        return all(is_closed(one) for one in slow)
    case.wait_until(drip, 20, "slow clients are sent away", poll=0.5)
    for one in slow:
        one.close()


def health(case, line, http) -> None:
    status, _, body = http.get("/healthz")
    report = json.loads(body)
    names = [one["name"] for one in report["checks"]]
    case.check(status == 200 and report["healthy"], f"healthy: {body}")
    for wanted in (f"Discovery to {line.relay_address(4)}:2268", f"Request to [{line.relay_address(6)}]:2268", "worker 0", "upstream r0"):
        case.check(wanted in names, f"{wanted}: {names}")
    case.check(http.get("/readyz")[0] == 200, "ready")
    line.relay.ip("link set r0 down")
    status, _, body = case.wait_until(lambda: (got := http.get("/healthz"))[0] == 503 and got, 5, "unhealthy without its upstream")
    failed = [one["name"] for one in json.loads(body)["checks"] if not one["ok"]]
    case.check(failed == ["upstream r0"] and http.get("/readyz")[0] == 503, f"failed: {failed}")
    line.relay.ip("link set r0 up", "addr add 2001:db8:1::ffff/64 dev r0 nodad")
    case.wait_until(lambda: http.get("/healthz")[0] == 200, 5, "healthy again")
    # Its own address is gone from the relay's port: nobody answers there any more.
    line.relay.ip(f"addr del {line.relay_address(4)}/24 dev r1")
    case.wait_until(lambda: http.get("/healthz")[0] == 503, 5, "unhealthy without its address")
    line.relay.ip(f"addr add {line.relay_address(4)}/24 dev r1")
    case.wait_until(lambda: http.get("/healthz")[0] == 200, 5, "healthy with it")


def busy_port(case, line) -> None:
    for where, name in (("127.0.0.1:8080", "8080"), (f"unix:{case.folder}/relay-http.sock", "relay-http.sock")):
        second = line.start_relay("--relay-port", 2269, "--http", where, name=f"second-{name}", ready=False)
        case.check(second.wait(5) == 1 and "in use" in second.err and name in second.err, f"{where}: {second.status} {second.err}")
    for wrong in ("nonsense", "127.0.0.1", "127.0.0.1:0", "70000", "unix:", "224.0.0.1:80"):
        done = case.amt_once(["relay", "--http", wrong])
        case.check(done.returncode == 2 and "--http" in done.stderr, f"{wrong}: {done}")


def run(case):
    line = Line(case)
    relay = line.start_relay("--workers", 2, "--http", "127.0.0.1:8080", "--http-host", "relay.test")
    http = Http(line.relay)
    by_file = line.start_relay("--relay-port", 2270, "--http", f"unix:{case.folder}/relay-http.sock", name="by-file")
    gateway = line.fake_gateway(4)
    gateway.join_channel(SSM[4], [line.source_address(4)])
    case.wait_until(lambda: http.json("/status.json")["tunnel_count"] == 1, 5, "tunnel")
    line.stream(4, SSM[4], rate=500, sizes=(400,))
    case.wait_until(lambda: len(gateway.data) > 10, 10, "data")
    begun = len(gateway.data)
    paths(case, http, gateway.endpoint)
    bad_requests(case, http)
    slow_clients(case, http)
    busy_port(case, line)
    # A client that asks for much and reads nothing.
    lazy = http.connect()
    lazy.sendall(b"GET /history.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
    start = time.monotonic()
    asked = 0
    while time.monotonic() < start + 2:
        for target in ("/metrics", "/status.json", "/history.json?span=day", "/"):
            case.check(http.get(target)[0] == 200, target)
            asked += 1
    case.figure("HTTP requests beside a lazy client", asked / 2, "a second")
    report = sequence_report([int.from_bytes(one.payload[16:20], "big") for one in gateway.inner()[begun:]])
    case.check(report["lost"] == 0 and report["duplicated"] == 0, f"the stream: {report}")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{case.folder}/relay-http.sock")
        # A UNIX socket is reached by no browser: any Host will do.
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        case.check(connection.recv(4096).startswith(b"HTTP/1.1 200"), "by the UNIX socket")
    by_file.terminate()
    lazy.close()
    health(case, line, http)
    relay.terminate()
