/* The payload of a channel on standard output:  watch amt://198.51.100.10@232.1.1.1:5000 | mpv - */
#include <amt/amt.h>
#include <poll.h>
#include <stdio.h>
int main(int argc, char **argv) {
  amt_error error;
  amt_receiver *receiver = argc == 2 ? amt_receiver_open(argv[1], NULL, &error) : NULL;
  if (!receiver) return fprintf(stderr, "%s\n", argc == 2 ? amt_error_text(&error) : "usage: watch URL"), 1;
  for (;;) {
    static char payload[65536];
    struct pollfd ready = {amt_receiver_fd(receiver), POLLIN, 0};
    poll(&ready, 1, amt_receiver_timeout_ms(receiver));
    if (amt_receiver_process(receiver) != AMT_OK) break;
    for (long octets; (octets = amt_receiver_read(receiver, payload, sizeof payload)) >= 0;) fwrite(payload, 1, octets, stdout);
  }
  amt_receiver_close(receiver);
}
