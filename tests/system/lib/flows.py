"""IPFIX records of the relay under test, as nfdump's collector keeps them."""

import json
import shutil
import subprocess

from .scenario import Skipped

PORT = 4739
BUFFER_OCTETS = 1 << 24


def key(flow: dict) -> tuple[str, str, str, int]:
    """Source, group, gateway, and its port."""
    def either(*names: str) -> str:
        return next(flow[name] for name in names if name in flow)
    return (either("src4_addr", "src6_addr"), either("dst4_addr", "dst6_addr"), either("ip4_next_hop", "ip6_next_hop"),
            flow["dst_port"])


class Collector:
    """nfcapd on a host of the test's."""

    def __init__(self, case, namespace, address: str):
        if not shutil.which("nfcapd"):
            raise Skipped("no nfcapd (package nfdump)")
        self._folder = case.folder / "flows"
        self._folder.mkdir()
        self._process = case.program(["nfcapd", "-w", str(self._folder), "-p", str(PORT), "-b", address, "-t", "3600", "-B",
                                      str(BUFFER_OCTETS)], "nfcapd", namespace)
        case.wait_until(lambda: "Startup" in self._process.err or "Startup" in self._process.out.decode(), 10,
                        "the collector listens")
        self.options = ["--ipfix", f"{address}:{PORT}"]

    def end(self) -> list[dict]:
        """All records, once the relay has sent its last."""
        self._process.terminate(20)
        done = subprocess.run(["nfdump", "-R", str(self._folder), "-o", "json"], capture_output=True, text=True, timeout=300,
                              check=True)
        return json.loads(done.stdout)
