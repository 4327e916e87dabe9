"""`/metrics` of a relay and a gateway: promtool finds nothing to say, both formats, sums equal the status, no series for a tunnel;
the dashboard and the rules of packaging/ name metrics that exist; a real Prometheus scrapes both, and alerts fire when their
cause is made.

    source ── relay (HTTP), Prometheus ══ our own gateways, amt gateway (HTTP)
"""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse

from lib.http_client import Http
from lib.scenario import Skipped, tun_problem
from lib.topology import ASM, SSM, Line

NEEDS = {"namespaces"}
PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging"
RULES = PACKAGING / "prometheus" / "amt.rules.yml"
GATEWAYS = 5


def sums(case, http) -> None:
    before, samples, after = http.json("/status.json"), http.samples(), http.json("/status.json")

    def total(name: str) -> float:
        return sum(value for key, value in samples.items() if key.split("{")[0] == name)

    def in_status(status, *prefixes) -> int:
        return sum(value for name, value in status["counters"].items() if name.startswith(prefixes))
    for metric, prefix in (("amt_relay_rejects_total", "reject_"), ("amt_relay_tunnels_created_total", "tunnels_created")):
        case.check(in_status(before, prefix) <= total(metric) <= in_status(after, prefix), f"{metric}: {total(metric)}")
    ended = ("tunnels_left", "tunnels_torn_down", "tunnels_expired", "tunnels_unreachable", "tunnels_shut_down")
    case.check(total("amt_relay_tunnels_ended_total") >= in_status(before, *ended), "ended")
    case.check(total("amt_relay_tunnels") == GATEWAYS and total("amt_relay_channels") == 2, f"{samples}")
    case.check(total("amt_relay_rejects_total") >= 3, "what was refused is counted")
    channel = f'amt_relay_channel_tunnels{{group="{SSM[4]}",source="{Line.source_address(4)}"}}'
    case.check(samples[channel] == GATEWAYS - 1, f"{channel}: {samples.get(channel)}")
    # A series for each of very many tunnels would be the end of any Prometheus.
    case.check(not any(":2268" in key or "10.2.0.2" in key for key in samples), "no series for a tunnel")


def promtool(case, http) -> None:
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        status, header, body = http.get("/metrics", Accept=accept)
        case.check(status == 200 and header["content-type"].startswith(accept.split(";")[0]), f"{header}")
        if accept != "text/plain":
            case.check(body.endswith(b"# EOF\n"), "the end of OpenMetrics")
            continue
        done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
        case.check(done.returncode == 0 and not done.stdout and not done.stderr, f"promtool: {done}")
    rules = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    case.check(rules.returncode == 0, f"rules: {rules}")


def names_in_packaging() -> set[str]:
    """Of metrics that the dashboard and the rules ask for."""
    dashboard = json.loads((PACKAGING / "grafana" / "amt.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    expressions += [one["query"]["query"] for one in dashboard["templating"]["list"] if isinstance(one["query"], dict)]
    expressions += re.findall(r"^ *expr: (.*)$", RULES.read_text(encoding="utf-8"), re.M)
    return set(re.findall(r"\bamt_[a-z_]+", " ".join(expressions)))


def check_packaging(case, *servers) -> None:
    known = {line.split()[2] for http in servers for line in http.get("/metrics")[2].decode().splitlines() if line.startswith("# TYPE")}
    case.check(names_in_packaging() <= known, f"no such metrics: {names_in_packaging() - known}")
    case.figure("metrics that the dashboard and the rules name", len(names_in_packaging()), "all of them exist")


class Prometheus:
    def __init__(self, case, line):
        # The same expressions without their patience.
        rules = case.folder / "quick.rules.yml"
        rules.write_text("\n".join(row for row in RULES.read_text(encoding="utf-8").splitlines() if not row.strip().startswith("for:")),
                         encoding="utf-8")
        config = case.folder / "prometheus.yml"
        config.write_text(f"""global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
- job_name: amt
  static_configs: [{{targets: ["127.0.0.1:8080", "{line.gateway_address(4)}:8080"]}}]
""", encoding="utf-8")
        case.program(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={case.folder}/data",
                      "--web.listen-address=127.0.0.1:9090"], "prometheus", line.relay)
        self._case, self._api = case, Http(line.relay, port=9090)

    def value(self, expression: str) -> str | None:
        try:
            result = json.loads(self._api.get("/api/v1/query?query=" + urllib.parse.quote(expression))[2])["data"]["result"]
        except OSError:
            return None
        return result[0]["value"][1] if result else None

    def alerts(self) -> list[str]:
        return [one["labels"]["alertname"] for one in json.loads(self._api.get("/api/v1/alerts")[2])["data"]["alerts"]
                if one["state"] == "firing"]

    def wait_alert(self, name: str) -> None:
        self._case.wait_until(lambda: name in self.alerts(), 40, f"{name} fires", poll=0.3)


def alerts(case, line, relay) -> None:
    prometheus = Prometheus(case, line)
    case.wait_until(lambda: prometheus.value("amt_relay_tunnels") == str(GATEWAYS), 30, "Prometheus has scraped the relay", poll=0.3)
    case.wait_until(lambda: prometheus.value("amt_gateway_memberships") == "0", 30, "and the gateway", poll=0.3)
    case.wait_until(lambda: prometheus.alerts() == [], 20, "no alert while all is well", poll=0.3)
    line.listener(4, ASM[4])
    prometheus.wait_alert("AmtGatewayNothingComes")
    line.relay.ip("link set r0 down")
    prometheus.wait_alert("AmtRelayUpstreamDown")
    relay.kill()
    prometheus.wait_alert("AmtDown")
    prometheus.wait_alert("AmtGatewayNoRelay")


def run(case):
    if not shutil.which("promtool"):
        raise Skipped("promtool is not installed (Debian package prometheus)")
    if problem := tun_problem():
        raise Skipped(problem)
    line = Line(case)
    relay = line.start_relay("--workers", 2, "--http", "127.0.0.1:8080")
    http = Http(line.relay)
    gateways = [line.fake_gateway(4) for _ in range(GATEWAYS)]
    for gateway in gateways[1:]:
        gateway.join_channel(SSM[4], [line.source_address(4)])
    gateways[0].join_channel("232.4.5.6", [line.source_address(4)])
    case.wait_until(lambda: http.json("/status.json?tunnels=0")["tunnel_count"] == GATEWAYS, 5, "tunnels")
    with line.gateway.enter():
        import socket
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(3):
        stranger.sendto(b"\x77nonsense", (line.relay_address(4), 2268))
    line.stream(4, SSM[4], rate=200, sizes=(400,))
    case.wait_until(lambda: len(gateways[1].data) > 100, 10, "data")
    case.wait_until(lambda: sum(value for key, value in http.samples().items() if key.startswith("amt_relay_rejects_total")) >= 3, 5, "refusals")
    sums(case, http)
    promtool(case, http)
    line.start_gateway(4, "--http", f"{line.gateway_address(4)}:8080")
    at_gateway = Http(line.gateway, line.gateway_address(4))
    promtool(case, at_gateway)
    check_packaging(case, http, at_gateway)
    alerts(case, line, relay)
