/* How late packets are, as a receiver of market data measures it: `amt send` writes the time of sending into each, and this
 * program on the same host (or one with the same monotonic clock) reads it. Ends after COUNT packets.
 *
 *     cc latency.c $(pkg-config --cflags --libs amt) -o latency && ./latency amt://198.51.100.10@232.1.1.1:5000 10000
 */
#define _POSIX_C_SOURCE 200809L
#include <amt/amt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "amt test", stream, sequence number, nanoseconds of the sender's CLOCK_MONOTONIC; numbers in network order. */
enum { SEQUENCE_AT = 12, SENT_AT = 16, HEADER_OCTETS = 32 };

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static uint64_t number_at(const unsigned char *octets, int length) {
  uint64_t number = 0;
  for (int i = 0; i < length; ++i) number = number << 8 | octets[i];
  return number;
}

static int ascending(const void *a, const void *b) {
  const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
  return (one > other) - (one < other);
}

int main(int argc, char **argv) {
  amt_error error;
  const size_t wanted = argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : 0;
  int64_t *delays = wanted != 0 && wanted < 100000000 ? malloc(2 * wanted * sizeof *delays) : NULL;
  if (!delays) return fprintf(stderr, "usage: latency URL COUNT\n"), 2;
  int64_t *from_read = delays + wanted;
  amt_receiver *receiver = amt_receiver_open(argv[1], NULL, &error);
  if (!receiver) return fprintf(stderr, "%s\n", amt_error_text(&error)), 1;
  size_t count = 0, lost = 0;
  uint32_t next = 0;
  while (count < wanted) {
    amt_packet packet;
    struct pollfd ready = {amt_receiver_fd(receiver), POLLIN, 0};
    /* A program with a core to spare passes 0 here, and waits for no scheduler. */
    poll(&ready, 1, amt_receiver_timeout_ms(receiver));
    if (amt_receiver_process(receiver) != AMT_OK) break;
    while (count < wanted && amt_receiver_next(receiver, &packet)) {
      const unsigned char *octets = packet.payload;
      if (packet.octets < HEADER_OCTETS || memcmp(octets, "amt test", 8) != 0) continue;
      const uint32_t sequence = (uint32_t)number_at(octets + SEQUENCE_AT, 4);
      if (count != 0 && sequence != next) lost += sequence - next;
      next = sequence + 1;
      const int64_t now = now_ns();
      delays[count] = now - (int64_t)number_at(octets + SENT_AT, 8);
      from_read[count++] = now - packet.arrival_ns;
    }
  }
  amt_receiver_close(receiver);
  if (count == 0) return 1;
  qsort(delays, count, sizeof *delays, ascending);
  qsort(from_read, count, sizeof *from_read, ascending);
  printf("%zu packets, %zu lost; from the source to here: median %.1f us, 99 %% %.1f us, most %.1f us; in this process: median %.1f us\n",
         count, lost, delays[count / 2] / 1e3, delays[count * 99 / 100] / 1e3, delays[count - 1] / 1e3, from_read[count / 2] / 1e3);
  free(delays);
  return 0;
}
