"""Streams that are unlike the usual one, through `amt serve` and a real decoder: without PCR, scrambled, with a PMT that changes, radio
alone, full of null packets. Each is played, or `/status` says why it cannot be.

    ffmpeg's streams, changed here ── our relay ══ amt serve │ HTTP │ ffmpeg
"""

import itertools
import json
import subprocess
import time

from lib import http_streams, loopback, video
from lib import transport_stream as ts
from lib.loopback import PORT, SOURCE
from lib.patience import PATIENCE
from lib.station import Station

NEEDS = {"program"}
SECONDS = 40
VIDEO_PID, AUDIO_PID, OTHER_VIDEO_PID, NULL_PID = 0x100, 0x101, 0x140, 0x1FFF
NULL = bytes([0x47, 0x1F, 0xFF, 0x10]).ljust(ts.PACKET, b"\xff")
PCR_FLAG, ADAPTATION = 0x10, 0x20


def with_pid(packet: bytes, pid: int) -> bytes:
    return packet[:1] + bytes([packet[1] & 0xE0 | pid >> 8, pid & 255]) + packet[3:]


def without_clock(packet: bytes) -> bytes:
    """Without PCR: its octets become stuffing."""
    if not packet[3] & ADAPTATION or packet[4] == 0 or not packet[5] & PCR_FLAG:
        return packet
    return packet[:5] + bytes([packet[5] & ~PCR_FLAG]) + b"\xff" * 6 + packet[12:]


def scrambled(packet: bytes) -> bytes:
    if ts.pid(packet) != VIDEO_PID:
        return packet
    body = 4 + (1 + packet[4] if packet[3] & ADAPTATION else 0)
    return packet[:3] + bytes([packet[3] | 0x80]) + packet[4:body] + bytes(octet ^ 0x5A for octet in packet[body:])


def remapped(packet: bytes) -> bytes:
    """Video has another PID, and the map another version."""
    if ts.pid(packet) == VIDEO_PID:
        return with_pid(packet, OTHER_VIDEO_PID)
    if packet[4:6] != b"\x00\x02" or not packet[1] & 0x40:
        return packet
    length = (packet[6] & 15) << 8 | packet[7]
    table = bytearray(packet[5:5 + 3 + length - 4])
    table[5] = table[5] & 0xC1 | 5 << 1
    old, new = (0xE000 | VIDEO_PID).to_bytes(2, "big"), (0xE000 | OTHER_VIDEO_PID).to_bytes(2, "big")
    whole = bytes(table).replace(old, new)
    return (packet[:5] + whole + ts.crc(whole).to_bytes(4, "big")).ljust(ts.PACKET, b"\xff")


def radio(case) -> bytes:
    out = case.folder / "radio.ts"
    done = subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=frequency=440", "-t", str(SECONDS), "-c:a", "mp2", "-b:a",
                           "192k", "-f", "mpegts", str(out)], capture_output=True, text=True, timeout=60 * PATIENCE, check=False, env=case.env)
    case.check(done.returncode == 0, done.stderr)
    return out.read_bytes()


def streams(case) -> dict[str, list[bytes]]:
    with open(video.make_stream(case, SECONDS, name="Kinds"), "rb") as file:
        usual = ts.packets(file.read())
    turn = len(usual) // 8
    return {
        "usual": usual,
        "no PCR": [without_clock(one) for one in usual],
        "scrambled": [scrambled(one) for one in usual],
        "another PMT": usual[:turn] + [remapped(one) for one in usual[turn:]],
        "radio": ts.packets(radio(case)),
        "null packets": list(itertools.chain.from_iterable((one, NULL, NULL) for one in usual)),
    }


def run(case):
    made = streams(case)
    group_of = {kind: f"232.1.3.{number + 1}" for number, kind in enumerate(made)}
    player = loopback.Player(case)
    port = http_streams.free_port()
    case.start(["serve", "--listen", f"127.0.0.1:{port}", "--relay", player.address], "serve").wait_ready()

    def path(kind: str) -> str:
        return f"/amt/{SOURCE}@{group_of[kind]}:{PORT}"

    def status(kind: str) -> dict:
        return next(one for one in http_streams.status("127.0.0.1", port)["channels"] if one["group"] == group_of[kind])

    # One who stays, for each: the channel is received from the start on.
    stays = {kind: case.closing(http_streams.Connection("127.0.0.1", port, timeout=30 * PATIENCE)) for kind in made}
    for kind, connection in stays.items():
        connection.get(path(kind))
        player.wait_joined(group=group_of[kind])
    station = case.closing(Station(player.relay, SECONDS, {(SOURCE, group_of[kind]): b"".join(whole) for kind, whole in made.items()}))
    begun = time.monotonic()
    readers = {}
    for kind, connection in sorted(stays.items(), key=lambda one: one[0] == "scrambled"):
        case.check(connection.header()[0] == 200, f"{kind}: a response")
        readers[kind] = http_streams.Reader(connection)
        case.figure(f"{kind}: it begins after", time.monotonic() - begun, "s")

    def decoded(kind: str) -> dict[str, int]:
        """Frames of video and of sound in a second of what a new viewer gets."""
        done = subprocess.run(["ffprobe", "-v", "error", "-analyzeduration", "1000000", "-read_intervals", "%+1", "-show_entries",
                               "frame=media_type", "-of", "json", f"http://127.0.0.1:{port}{path(kind)}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * PATIENCE, check=False, env=case.env)
        kinds = [one.get("media_type") for one in json.loads(done.stdout or "{}").get("frames", [])]
        return {media: kinds.count(media) for media in ("video", "audio")}

    case.wait_until(lambda: station.part > 0.2, 30, "the other PMT")
    for kind in made:
        found = decoded(kind)
        case.figure(f"{kind}: frames decoded", found)
        case.check(found["audio"] > 5, f"{kind}: is heard")
        case.check(found["video"] > 5 or kind in ("radio", "scrambled"), f"{kind}: is seen")
    case.check(status("scrambled")["scrambled"] and not status("usual")["scrambled"], "and status says that it is scrambled")
    case.check(status("radio")["streams"] == ["MPEG audio"], str(status("radio")["streams"]))
    # Who watched while the map changed has the old one and the new one, and the decoder goes on with the new one.
    station.close()
    both = case.folder / "both.ts"
    both.write_bytes(bytes(readers["another PMT"].octets))
    done = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=id,nb_read_packets", "-of", "json", str(both)],
                          capture_output=True, text=True, timeout=60 * PATIENCE, check=False, env=case.env)
    counts = {int(one["id"], 16): int(one["nb_read_packets"]) for one in json.loads(done.stdout)["streams"]}
    case.figure("packets of each PID over the change", counts)
    case.check(counts[VIDEO_PID] > 50 and counts[OTHER_VIDEO_PID] > 50, "video of both maps")
    for kind in made:
        case.check(status(kind)["lost"] == 0, f"{kind}: nothing is lost: {status(kind)}")
