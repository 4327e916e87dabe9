"""Announcements (SAP) with a program of others: what VLC announces is listed by `amt serve --sap`.

    VLC ── amt serve --sap
"""

import json
import os
import shutil

from lib import http_streams, netns, video
from lib.scenario import Skipped

NEEDS = {"namespaces"}
SENDER, LISTENER = "10.1.0.1", "10.1.0.2"


def as_somebody(case) -> list[str]:
    """VLC does nothing for root."""
    if os.geteuid() != 0:
        return []
    home = case.folder / "home"
    home.mkdir(exist_ok=True)
    home.chmod(0o777)
    case.folder.chmod(0o755)
    return ["setpriv", "--reuid", "nobody", "--clear-groups", "env", f"HOME={home}"]


def run(case):
    if shutil.which("cvlc") is None:
        raise Skipped("VLC is not installed")
    sender, listener = case.host("sender"), case.host("listener")
    netns.link(sender, "s0", listener, "l0", [f"{SENDER}/24"], [f"{LISTENER}/24"])
    for host, name in ((sender, "s0"), (listener, "l0")):
        host.ip(f"route add 224.0.0.0/4 dev {name}")
    stream = video.make_stream(case, 60, name="stream")
    serve = case.start(["serve", "--sap", "--relay", "127.0.0.1"], "serve", listener)
    serve.wait_ready()

    def names() -> dict[str, str]:
        state = json.loads(http_streams.fetch("127.0.0.1", 4022, "/status", namespace=listener)[2])
        return {one["name"]: one["channel"] for one in state["announced"]["entries"]}

    case.program([*as_somebody(case), "cvlc", "-vv", "--ttl", "8", "--no-sout-all", str(stream), "--loop", "--sout",
                  '#rtp{dst=239.255.2.9,port=5004,mux=ts,sap,name="By VLC"}'], "vlc", sender)
    case.wait_until(lambda: names().get("By VLC") == "239.255.2.9:5004", 20, "VLC's session is listed")
