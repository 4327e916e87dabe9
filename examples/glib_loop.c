/* A channel in a GLib main loop, beside whatever else the program does there: its payload on standard output, and each
 * second a line on standard error.
 *
 *     cc glib_loop.c $(pkg-config --cflags --libs amt glib-2.0) -o glib_loop && ./glib_loop amt://198.51.100.10@232.1.1.1:5000
 */
#include <amt/amt.h>
#include <glib-unix.h>
#include <stdio.h>

static GMainLoop *loop;
static amt_receiver *receiver;
static guint deadline;

static void process(void);

static gboolean on_deadline(gpointer context) {
  (void)context;
  deadline = 0;
  process();
  return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer context) {
  (void)fd, (void)condition, (void)context;
  process();
  return G_SOURCE_CONTINUE;
}

static gboolean on_end(gpointer context) {
  (void)context;
  g_main_loop_quit(loop);
  return G_SOURCE_REMOVE;
}

static gboolean on_second(gpointer context) {
  amt_receiver_statistics statistics = {sizeof statistics, 0, 0, 0, 0, 0, 0, 0, 0};
  (void)context;
  if (amt_receiver_get_statistics(receiver, &statistics) == AMT_OK) {
    fprintf(stderr, "%" G_GUINT64_FORMAT " packets, %" G_GUINT64_FORMAT " octets\n", (guint64)statistics.packets, (guint64)statistics.octets);
  }
  return G_SOURCE_CONTINUE;
}

/* The deadline may be another after each call. */
static void process(void) {
  amt_packet packet;
  if (amt_receiver_process(receiver) != AMT_OK) g_main_loop_quit(loop);
  while (amt_receiver_next(receiver, &packet)) fwrite(packet.payload, 1, packet.octets, stdout);
  fflush(stdout);
  if (deadline != 0) g_source_remove(deadline);
  const int wait = amt_receiver_timeout_ms(receiver);
  deadline = wait < 0 ? 0 : g_timeout_add((guint)wait, on_deadline, NULL);
}

int main(int argc, char **argv) {
  amt_error error;
  receiver = argc == 2 ? amt_receiver_open(argv[1], NULL, &error) : NULL;
  if (!receiver) return fprintf(stderr, "%s\n", argc == 2 ? amt_error_text(&error) : "usage: glib_loop URL"), 1;
  loop = g_main_loop_new(NULL, FALSE);
  g_unix_fd_add(amt_receiver_fd(receiver), G_IO_IN, on_readable, NULL);
  g_unix_signal_add(SIGINT, on_end, NULL);
  g_unix_signal_add(SIGTERM, on_end, NULL);
  g_timeout_add_seconds(1, on_second, NULL);
  process();
  g_main_loop_run(loop);
  amt_receiver_close(receiver);
  g_main_loop_unref(loop);
  return 0;
}
