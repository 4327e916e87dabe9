"""What the programs give up once they run, as the kernel shows it from outside, of every thread: system calls are filtered,
capabilities gone but those that the role needs, no new privileges, no dumps. And what they do afterwards still works: data
flows, an upstream that was made anew is opened again, the interface is mended, a reload and status are answered, a channel is served.

    source ── relay ══ gateway ── amt0 ── listener
"""

import pathlib
import signal

from lib import http_streams, multicast
from lib import transport_stream as ts
from lib.topology import PORT, SSM, Line, url

NEEDS = {"namespaces", "tun"}
NET_ADMIN, NET_RAW = 1 << 12, 1 << 13


def statuses(pid: int) -> list[dict[str, str]]:
    """/proc/PID/task/*/status, of each thread."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            lines = (task / "status").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            continue
        found.append(dict(line.split(":\t", 1) for line in lines if ":\t" in line))
    return found


def is_confined(pid: int, capabilities: int) -> bool:
    return all(one["Seccomp"] == "2" and one["NoNewPrivs"] == "1" and int(one["CapAmb"], 16) == 0
               and int(one["CapEff"], 16) & ~capabilities == 0 and int(one["CapPrm"], 16) & ~capabilities == 0
               for one in statuses(pid))


def confined(case, program, capabilities: int) -> None:
    # The C library's own threads for look-ups end a second after the last.
    case.wait_until(lambda: is_confined(program.pid, capabilities), 5,
                    f"{program.name}: {[{key: one[key] for key in ('Name', 'Seccomp', 'NoNewPrivs', 'CapEff', 'CapPrm')} for one in statuses(program.pid)]}")
    main = next(one for one in statuses(program.pid) if one["Pid"] == str(program.pid))
    case.check(int(main["CapEff"], 16) == capabilities, f"{program.name}: {main['CapEff']}, not {capabilities:x}")
    owner = pathlib.Path(f"/proc/{program.pid}/environ").stat().st_uid
    case.note(f"{program.name}: {len(statuses(program.pid))} threads, CapEff {main['CapEff']}, Seccomp {main['Seccomp']}, "
              f"NoNewPrivs {main['NoNewPrivs']}, environ of uid {owner}")


def works(case, line, relay, gateway) -> None:
    listeners = [line.listener(family, SSM[family], [line.source_address(family)]) for family in (4, 6)]
    case.wait_until(lambda: all(one.count > 20 for one in listeners), 10, "data")
    # The relay opens its upstream again.
    line.relay.ip("link set r0 down", "link set r0 up")
    line.relay.ip("addr add 2001:db8:1::ffff/64 dev r0 nodad")
    before = [one.count for one in listeners]
    case.wait_until(lambda: all(one.count > was + 20 for one, was in zip(listeners, before)), 20, "data after the upstream came back")
    # The gateway mends its interface.
    line.gateway.ip("link set amt0 down", "link set amt0 up")
    before = [one.count for one in listeners]
    case.wait_until(lambda: all(one.count > was + 20 for one, was in zip(listeners, before)), 20, "data after the interface came back")
    for daemon in (relay, gateway):
        done = case.amt_once(["reload", "--control", daemon.control])
        case.check(done.returncode == 0, f"{daemon.name} reads its options again: {done}")
        case.check(daemon.snapshot()["counters"], f"{daemon.name} answers")
        case.check("sandbox: capabilities CAP_NET_" in daemon.err, f"{daemon.name} says so: {daemon.err}")
    for one in listeners:
        one.close()


def write_list(case, name: str) -> pathlib.Path:
    """A playlist of one channel, in the place of the one before."""
    new, listed = case.folder / "new.m3u", case.folder / "list.m3u"
    new.write_text(f"#EXTM3U\n#EXTINF:-1,{name}\namt://10.1.0.1@232.1.2.9:{PORT}\n", encoding="ascii")
    return new.rename(listed)


def serves(case, line) -> None:
    """`amt serve`: a channel to a viewer, and a playlist that was replaced."""
    served = case.start(["serve", "--relay", line.relay_address(4), "--playlist", write_list(case, "before")], "serve", line.gateway)
    served.wait_ready()
    confined(case, served, 0)
    case.check("sandbox: capabilities none" in served.err, f"it says so: {served.err}")
    viewer = case.closing(http_streams.Connection("127.0.0.1", 4022, namespace=line.gateway))
    viewer.get(f"/amt/{line.source_address(4)}@232.1.2.9:{PORT}")
    source, pictures = case.closing(multicast.Source(line.source, "s0", 4, address=line.source_address(4))), ts.Sender()

    def plays() -> bool:
        octets = pictures.group()
        for at in range(0, len(octets), 7 * ts.PACKET):
            source.send("232.1.2.9", PORT, octets[at:at + 7 * ts.PACKET])
        return http_streams.status("127.0.0.1", 4022, line.gateway)["channels"][0]["state"] == "playing"
    case.wait_until(plays, 20, "the channel plays", poll=0.1)
    case.check(viewer.header()[0] == 200 and viewer.read(ts.PACKET)[0] == 0x47, "a viewer has it")
    viewer.close()
    write_list(case, "after")
    served.signal(signal.SIGHUP)
    case.wait_until(lambda: b"after" in http_streams.fetch("127.0.0.1", 4022, "/playlist.m3u", namespace=line.gateway)[2], 5, "a reload")
    confined(case, served, 0)
    served.terminate()


def run(case):
    line = Line(case)
    relay = line.start_relay()
    gateway = line.start_gateway(4)
    for family in (4, 6):
        line.stream(family, SSM[family], rate=100)
    confined(case, relay, NET_RAW)
    confined(case, gateway, NET_ADMIN)
    works(case, line, relay, gateway)
    receive = line.receive(url(SSM[4], line.source_address(4)), "-o", case.folder / "payload")
    case.wait_until(lambda: (case.folder / "payload").exists() and (case.folder / "payload").stat().st_size > 1000, 10, "a file")
    confined(case, receive, 0)
    serves(case, line)
    for program in (receive, gateway, relay):
        program.terminate()

    router = line.start_relay(upstream=("--interface", "amtr0"), name="router")
    confined(case, router, NET_ADMIN | NET_RAW)
    router.terminate()
    proxy = case.daemon(["gateway", "--discovery", line.relay_address(4), "--native"], "native", line.gateway)
    confined(case, proxy, NET_ADMIN | NET_RAW)
    proxy.terminate()
    free = line.start_relay("--no-sandbox", name="free")
    case.check(all(one["Seccomp"] == "0" and one["NoNewPrivs"] == "0" for one in statuses(free.pid)), "--no-sandbox")
    case.check("keeps all its privileges" in free.err, "which is told")
    free.terminate()
