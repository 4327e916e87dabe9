"""Who may ask `amt serve`: addresses, tokens, and what an address that the whole Internet can reach needs. Tokens stand in no log.

    two clients ── amt serve
"""

import base64
import shutil
import signal
import subprocess

from lib import http_streams
from lib.topology import Line

NEEDS = {"namespaces"}
PORT = 4022
TOKEN, NEXT = "abcdefghijklmnop0123", "ABCDEFGHIJKLMNOP_-01"
GLOBAL = "9.9.9.9"
CHANNEL = "/amt/10.1.0.1@232.1.2.3:5001"


def run(case):
    line = Line(case)
    server, near, far = line.relay, line.gateway, line.source
    address = line.relay_address(4)
    server.ip(f"addr add {GLOBAL}/32 dev lo")
    listed, secret = case.folder / "list.m3u", case.folder / "token"
    listed.write_text("#EXTINF:-1,One\namt://10.1.0.1@232.1.2.3:5001\nhttp://example.net/a.ts\n", encoding="ascii")
    secret.write_text(f"# for everybody\n{TOKEN}\n", encoding="ascii")
    secret.chmod(0o600)
    number = 0

    def serve(*options, listen=f"{address}:{PORT}"):
        nonlocal number
        number += 1
        started = case.start(["serve", "--listen", listen, "--relay", "127.0.0.1", "--playlist", listed, *options], f"serve{number}", server)
        started.wait_ready()
        return started

    def get(path, client=near, to=address, method="GET", **fields):
        return http_streams.fetch(to, PORT, path, method, namespace=client, host=to, **fields)

    def refused_start(words, *options):
        done = case.amt_once(["serve", "--relay", "127.0.0.1", *options], server)
        case.check(done.returncode == 2 and len(done.stderr.splitlines()) == 1, f"{options}: {done}")
        case.check(all(word in done.stderr for word in words), f"{options}: {done.stderr}")
        return done.stderr

    # Neither token nor list.
    for place in (f"{GLOBAL}:{PORT}", f"0.0.0.0:{PORT}"):
        refused_start([place, GLOBAL, "--token-file", "--allow"], "--listen", place)
    started = serve("--allow", f"{line.gateway_address(4)}/32", listen=f"0.0.0.0:{PORT}")
    case.check(get("/status")[0] == 200 and get("/status", far, "10.1.255.254")[0] == 403, "a list of addresses")
    started.terminate()
    started = serve()
    case.check(get("/status")[0] == 200, "a private address: its subnets may")
    started.terminate()

    # Files that are no tokens.
    secret.chmod(0o644)
    refused_start(["--token-file", str(secret), "chmod"], "--token-file", secret)
    secret.chmod(0o600)
    bad = case.folder / "bad"
    bad.touch(0o600)
    for text in ("", "short\n", f"{TOKEN}\nwith space in it 0123\n"):
        bad.write_text(text, encoding="ascii")
        message = refused_start(["--token-file", str(bad)], "--token-file", bad)
        case.check(TOKEN not in message and "short" not in message and "with space" not in message, f"no token in {message}")

    # With a token.
    started = serve("--token-file", secret, listen=f"0.0.0.0:{PORT}")
    for path in ("/", "/status", "/metrics", "/playlist.m3u", "/playlist.xspf", "/channels.json", CHANNEL, CHANNEL.replace("/amt", "/hls") + "/index.m3u8"):
        status, header, _ = get(path)
        case.check(status == 401 and header["www-authenticate"].startswith("Basic "), f"{path}: {status} {header}")
    case.check(get("/status?token=")[0] == 401 and get(f"/status?token={TOKEN[:-1]}")[0] == 401 and get(f"/status?token={TOKEN}x")[0] == 401, "wrong")
    case.check(get("/status", Authorization="Bearer nonsense")[0] == 401, "wrong in the field")
    case.check(get("/healthz")[0] == 200, "health is no secret")
    case.check(get("/status", server, "127.0.0.1")[0] == 200, "this host needs none")
    basic = base64.b64encode(f"tv:{TOKEN}".encode()).decode()
    for path, fields in ((f"/playlist.m3u?token={TOKEN}", {}), ("/playlist.m3u", {"Authorization": f"Bearer {TOKEN}"}),
                         ("/playlist.m3u", {"Authorization": f"Basic {basic}"})):
        status, _, body = get(path, **fields)
        case.check(status == 200 and f"http://{address}{CHANNEL}?token={TOKEN}\n" in body.decode() and "http://example.net/a.ts\n" in body.decode(),
                   f"the list's channels have the token, others do not: {body}")
    case.check(get(f"{CHANNEL}?token={TOKEN}", method="HEAD")[0] == 200, "which works")
    case.check(get(f"{CHANNEL}?token={TOKEN}", Origin="http://evil.example")[0] == 403, "a page of another site may not, token or no")
    if shutil.which("curl"):
        with near.enter():
            done = subprocess.run(["curl", "-sS", f"http://tv:{TOKEN}@{address}:{PORT}/playlist.m3u"], capture_output=True, text=True, check=False)
        case.check(done.stdout.count(TOKEN) == 1, f"as players write it: {done}")
    metrics = get("/metrics", server, "127.0.0.1")[2].decode()
    case.check('amt_serve_rejects_total{reason="no_token"} 12' in metrics, metrics)

    # Another one.
    secret.write_text(NEXT, encoding="ascii")
    started.signal(signal.SIGHUP)
    case.wait_until(lambda: get(f"/status?token={NEXT}")[0] == 200, 5, "the new token")
    case.check(get(f"/status?token={TOKEN}")[0] == 401, "and the old one no more")
    secret.write_text("short", encoding="ascii")
    started.signal(signal.SIGHUP)
    case.wait_until(lambda: "stay as they were" in started.err, 5, "a bad file is told of")
    case.check(get(f"/status?token={NEXT}")[0] == 200, "and changes nothing")
    said = started.err + get("/status", server, "127.0.0.1")[2].decode() + get("/metrics", server, "127.0.0.1")[2].decode()
    case.check(TOKEN not in said and NEXT not in said, "no token in log, status or metrics")
    case.check("without a token" in started.err, "that somebody asked is")
    started.terminate()

    secret.write_text(TOKEN, encoding="ascii")
    started = serve("--token-file", secret, "--allow", f"{line.gateway_address(4)}/32", listen=f"0.0.0.0:{PORT}")
    case.check(get("/status")[0] == 200 and get("/status", far, "10.1.255.254")[0] == 401, "an address of --allow needs none")
