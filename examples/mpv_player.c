/* libmpv plays a channel by stream callbacks: amt:// URLs work in this player as files do.
 *
 *     cc mpv_player.c $(pkg-config --cflags --libs amt mpv) -pthread -o mpv_player
 *     ./mpv_player amt://198.51.100.10@232.1.1.1:5000 [OPTION=VALUE...]      options of mpv: vo=gpu, hwdec=auto, ...
 */
#include <amt/amt.h>
#include <mpv/client.h>
#include <mpv/stream_cb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  amt_receiver *receiver;
  int cancel[2]; /* a pipe: mpv cancels from another thread */
  amt_packet packet;
  size_t given; /* octets of `packet` */
} channel;

static volatile sig_atomic_t interrupted;

/* Waits for the next datagram. 0: cancelled; -1: it failed. */
static int next_packet(channel *self) {
  self->given = 0;
  while (!amt_receiver_next(self->receiver, &self->packet)) {
    struct pollfd ready[2] = {{amt_receiver_fd(self->receiver), POLLIN, 0}, {self->cancel[0], POLLIN, 0}};
    poll(ready, 2, amt_receiver_timeout_ms(self->receiver));
    if (ready[1].revents != 0) return 0;
    if (amt_receiver_process(self->receiver) != AMT_OK) return -1;
  }
  return 1;
}

static int64_t read_channel(void *context, char *octets, uint64_t size) {
  channel *self = context;
  while (self->given == self->packet.octets) {
    const int more = next_packet(self);
    if (more <= 0) return more;
  }
  const size_t left = self->packet.octets - self->given;
  const size_t count = left < size ? left : (size_t)size;
  memcpy(octets, (const char *)self->packet.payload + self->given, count);
  self->given += count;
  return (int64_t)count;
}

static void cancel_channel(void *context) {
  if (write(((channel *)context)->cancel[1], "", 1) < 0) perror("cancel");
}

static void close_channel(void *context) {
  channel *self = context;
  amt_receiver_close(self->receiver);
  close(self->cancel[0]);
  close(self->cancel[1]);
  free(self);
}

static int open_channel(void *context, char *uri, mpv_stream_cb_info *info) {
  amt_error error;
  channel *self = calloc(1, sizeof *self);
  (void)context;
  if (!self || pipe(self->cancel) != 0) return free(self), MPV_ERROR_LOADING_FAILED;
  self->receiver = amt_receiver_open(uri, NULL, &error);
  if (!self->receiver) {
    fprintf(stderr, "%s\n", amt_error_text(&error));
    close_channel(self);
    return MPV_ERROR_LOADING_FAILED;
  }
  info->cookie = self;
  info->read_fn = read_channel;
  info->cancel_fn = cancel_channel;
  info->close_fn = close_channel;
  return 0;
}

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

int main(int argc, char **argv) {
  mpv_handle *player;
  if (argc < 2 || !(player = mpv_create())) return fprintf(stderr, "usage: mpv_player URL [OPTION=VALUE...]\n"), 2;
  for (int i = 2; i < argc; ++i) {
    char *value = strchr(argv[i], '=');
    if (value) *value++ = 0;
    if (mpv_set_option_string(player, argv[i], value ? value : "yes") < 0) return fprintf(stderr, "%s: no such option\n", argv[i]), 2;
  }
  if (mpv_initialize(player) < 0 || mpv_stream_cb_add_ro(player, "amt", NULL, open_channel) < 0) return 1;
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  const char *load[] = {"loadfile", argv[1], NULL};
  mpv_command(player, load);
  for (mpv_event_id id = MPV_EVENT_NONE; !interrupted && id != MPV_EVENT_END_FILE && id != MPV_EVENT_SHUTDOWN;) {
    id = mpv_wait_event(player, 0.2)->event_id;
  }
  mpv_terminate_destroy(player);
  return 0;
}
