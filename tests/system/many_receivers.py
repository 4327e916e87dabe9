"""A thousand receivers of libamt in one process and one thread, each with a tunnel of its own: every one of them receives, and one takes
less than 64 KB.

    source ── relay ══ 1000 tunnels ══ one program
"""

import re

from lib.installed import Installed
from lib.topology import SSM, Line, url

NEEDS = {"namespaces"}
RECEIVERS, OCTETS_MAX = 1000, 64 * 1024
PROGRAM = r"""
#include <amt/amt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
static long resident(void) {
  long all, here = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &all, &here) != 2) return -1;
  fclose(file);
  return here * 4096;
}
static amt_receiver *opened(const char *url) {
  amt_error error;
  amt_receiver *receiver = amt_receiver_open(url, NULL, &error);
  if (!receiver) { fprintf(stderr, "%s\n", error.text); exit(1); }
  return receiver;
}
int main(int argc, char **argv) {
  const int wanted = argc == 3 ? atoi(argv[2]) : 0;
  amt_receiver **receivers = calloc((size_t)wanted, sizeof *receivers);
  char *served = calloc((size_t)wanted, 1);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  /* What the library needs once. */
  amt_receiver_close(opened(argv[1]));
  const long before = resident();
  for (int i = 0; i < wanted; ++i) receivers[i] = opened(argv[1]);
  int count = 0;
  const time_t end = time(NULL) + 120;
  while (count < wanted && time(NULL) < end) {
    for (int i = 0; i < wanted; ++i) {
      amt_packet packet;
      if (amt_receiver_process(receivers[i]) != AMT_OK) return 1;
      while (amt_receiver_next(receivers[i], &packet)) {
        count += !served[i];
        served[i] = 1;
      }
    }
    nanosleep(&(struct timespec){0, 5000000}, NULL);
  }
  printf("%d receivers served, %ld octets each\n", count, (resident() - before) / wanted);
  for (int i = 0; i < wanted; ++i) amt_receiver_close(receivers[i]);
  return count != wanted;
}
"""


def run(case):
    source = case.folder / "many.c"
    source.write_text(PROGRAM, encoding="ascii")
    program = Installed(case).compiled(source, "amt", flags=["-D_GNU_SOURCE", "-O1"])
    line = Line(case)
    line.start_relay("--max-tunnels-per-address", RECEIVERS * 2, "--max-requests-per-address", 0, "--max-updates-per-address", 0)
    line.stream(4, SSM[4], rate=5)
    channel = url(SSM[4], line.source_address(4)) + f"?relay={line.relay_address(4)}"
    many = case.program([str(program), channel, str(RECEIVERS)], "many", line.gateway)
    case.check(many.wait(150) == 0, many.err + many.out.decode())
    found = re.match(r"(\d+) receivers served, (\d+) octets each", many.out.decode())
    case.figure("octets of memory a receiver", int(found[2]))
    case.check(int(found[1]) == RECEIVERS and 0 < int(found[2]) < OCTETS_MAX, many.out.decode())
