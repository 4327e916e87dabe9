"""`libamt`: the program of the guide, compiled against the header and the library as C99, C17 and C++17, and the one in Python,
receive exactly the octets that the source sent, through a relay that is named in the URL; wrong calls fail with a reason and end
nothing; the sans-I/O program that is tested with a relay in memory passes; only the functions of the headers are exported.

    source ── relay (host mode) ══ tunnel ══ watch URL > FILE
"""

import pathlib
import re
import shutil
import subprocess
import sys

from lib.multicast import payload
from lib.scenario import Skipped
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
PACKETS, RATE, SIZES = 400, 400, (64, 700, 1316, 1400)
ROOT = pathlib.Path(__file__).resolve().parents[2]
WRONG_CALLS = r"""
#include <amt/amt.h>
#include <stdio.h>
#include <string.h>
static int failures;
static void expect(int holds, const char *what) { if (!holds) { printf("not so: %s\n", what); ++failures; } }
int main(void) {
  amt_error error;
  amt_packet packet;
  amt_receiver_statistics statistics;
  amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
  char reason[8];
  statistics.struct_size = sizeof statistics;
  const char *const wrong[] = {NULL, "", "amt://", "http://232.1.1.1", "amt://192.0.2.1", "amt://232.1.1.1:99999", "--help",
                               "amt://a@232.1.1.1", "amt://224.0.0.1"};
  for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    amt_receiver *const none = amt_receiver_open(wrong[i], NULL, &error);
    expect(none == NULL && error.status != AMT_OK && amt_error_text(&error)[0] != 0, wrong[i] ? wrong[i] : "null");
    expect(amt_receiver_open(wrong[i], NULL, NULL) == NULL, "without an error to fill in");
  }
  options.relay = "no such relay";
  expect(amt_receiver_open("amt://10.0.0.1@232.1.1.1:5000", &options, &error) == NULL, "a relay's name with spaces");
  options.relay = "127.0.0.1:9";
  options.struct_size = 1;
  expect(amt_receiver_open("amt://10.0.0.1@232.1.1.1:5000", &options, &error) == NULL && error.status == AMT_ERROR_ARGUMENT,
         "struct_size");
  options.struct_size = sizeof options;
  amt_receiver *const receiver = amt_receiver_open("amt://10.0.0.1@232.1.1.1:5000", &options, &error);
  expect(receiver != NULL && error.status == AMT_OK, amt_error_text(&error));
  expect(amt_receiver_read(receiver, NULL, 0) == -1 && amt_receiver_next(receiver, &packet) == 0, "nothing waits");
  expect(amt_receiver_process(receiver) == AMT_OK, "process");
  expect(amt_receiver_timeout_ms(receiver) >= 0, "a Request waits for its answer");
  expect(amt_receiver_join(receiver, "nonsense") == AMT_ERROR_URL && amt_receiver_error(receiver)->text[0] != 0, "join nonsense");
  expect(amt_receiver_join(receiver, "amt://10.0.0.2@232.1.1.2:5000") == AMT_OK, "join");
  expect(amt_receiver_get_statistics(receiver, &statistics) == AMT_OK && statistics.packets == 0, "statistics");
  expect(amt_receiver_silence_reason(receiver, reason, sizeof reason) > strlen(reason), "a reason that is cut");
  amt_receiver_close(receiver);
  amt_receiver_close(NULL);
  expect(amt_receiver_fd(NULL) == -1 && amt_receiver_process(NULL) == AMT_ERROR_ARGUMENT, "null");
  expect(amt_receiver_timeout_ms(NULL) == -1 && amt_receiver_read(NULL, reason, 1) < 0, "null");
  expect(amt_receiver_join(NULL, "x") == AMT_ERROR_ARGUMENT && amt_receiver_error(NULL)->status == AMT_ERROR_ARGUMENT, "null");
  expect(amt_receiver_get_statistics(NULL, &statistics) == AMT_ERROR_ARGUMENT, "null");
  expect(amt_error_text(NULL)[0] == 0 && amt_status_text((amt_status)99)[0] != 0, "texts");
  expect(amt_abi_version() == AMT_ABI_VERSION && strlen(amt_version()) >= 5, "versions");
  return failures;
}
"""


HEADERS = {"amt": ("amt.h", "core.h"), "amt_test": ("test_relay.h",)}
FUNCTIONS_MAX = 30


def check_exports(case, library: pathlib.Path):
    """Each library exports the functions of its headers and no other symbol."""
    count = 0
    for name, headers in HEADERS.items():
        exported = subprocess.run(["nm", "-D", "--defined-only", library / f"lib{name}.so"], capture_output=True, text=True, check=True)
        names = {line.split()[-1].split("@")[0] for line in exported.stdout.splitlines()} - {"AMT_0", "AMT_TEST_0"}
        text = "".join((ROOT / "include/amt" / header).read_text(encoding="utf-8") for header in headers)
        declared = set(re.findall(r"AMT_API [^;]*?\b(amt_\w+)\(", text))
        case.check(names == declared, f"lib{name}: exported and not declared, or the other way round: {names ^ declared}")
        count += len(declared)
    case.check(count <= FUNCTIONS_MAX, f"{count} functions")
    case.figure("functions", count)


def compiled(case, source: pathlib.Path, name: str, compiler: str, *flags) -> pathlib.Path:
    library = pathlib.Path(case.amt).resolve().parent
    if not (library / "libamt.so.0").exists():
        raise Skipped(f"{library} has no libamt.so.0")
    program = case.folder / name
    done = subprocess.run([compiler, *flags, "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", "-o", program, source,
                           f"-L{library}", "-lamt_test", "-lamt", f"-Wl,-rpath,{library}"], capture_output=True, text=True, check=False)
    case.check(done.returncode == 0, f"{name}: {done.stderr}")
    return program


def octets_sent_from(got: bytes) -> bytes:
    """What the source sent from the first packet in `got` on, as long as that is."""
    expected, number = b"", int.from_bytes(got[8:12], "big")
    while len(expected) < len(got):
        expected += payload(1, number, SIZES[number % len(SIZES)])
        number += 1
    return expected


def run(case):
    library = pathlib.Path(case.amt).resolve().parent
    check_exports(case, library)
    (case.folder / "wrong.c").write_text(WRONG_CALLS, encoding="ascii")
    wrong = subprocess.run([compiled(case, case.folder / "wrong.c", "wrong", "cc", "-std=c99", "-D_GNU_SOURCE")],
                           capture_output=True, text=True, timeout=60, check=False)
    case.check(wrong.returncode == 0 and not wrong.stderr, f"{wrong.stdout}{wrong.stderr}")

    for name, compiler, flags in (("core-c99", "cc", ["-std=c99"]), ("core-cxx17", "c++", ["-std=c++17", "-fno-exceptions", "-x", "c++"])):
        core = subprocess.run([compiled(case, ROOT / "examples/core_test.c", name, compiler, *flags)], capture_output=True, text=True,
                              timeout=60, check=False)
        case.check(core.returncode == 0, f"{name}: {core.stdout}{core.stderr}")

    watch = ROOT / "examples/watch.c"
    # The guide's program returns an `int` expression with a comma and writes with a `long`: as strict as its own flags are.
    programs = {
        "c99": [compiled(case, watch, "c99", "cc", "-std=c99", "-Wno-sign-conversion")],
        "cxx17": [compiled(case, watch, "cxx17", "c++", "-std=c++17", "-fno-exceptions", "-x", "c++")],
        "python": [sys.executable, str(ROOT / "examples/watch.py")],
    }
    if shutil.which("valgrind"):
        programs["valgrind"] = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full", programs["c99"][0]]
    line = Line(case)
    line.start_relay()
    channel = url(SSM[4], line.source_address(4)) + f"?relay={line.relay_address(4)}"
    running = [case.program(["env", f"LD_LIBRARY_PATH={library}", *map(str, program), channel], name, line.gateway)
               for name, program in programs.items()]
    stream = line.stream(4, SSM[4], rate=RATE, sizes=SIZES)
    enough = PACKETS * sum(SIZES) // len(SIZES)
    case.wait_until(lambda: all(one.out_path.stat().st_size > enough for one in running), 60, "payload at every program")
    stream.close()
    for one in running:
        # A program that began late, under valgrind, made the others receive for long.
        got = one.out[:2 * enough]
        case.figure(f"{one.name} octets", one.out_path.stat().st_size)
        case.check(got == octets_sent_from(got)[:len(got)], f"{one.name}: what it received differs from what was sent")
