/* The test of a program that drives amt/core.h, without a network: a relay in memory, and time that is a number.
 * A packet of the source comes through the tunnel, and none after the core has left.
 *
 *     cc core_test.c $(pkg-config --cflags --libs amt-test) -o core_test && ./core_test
 */
#include <amt/core.h>
#include <amt/test_relay.h>
#include <stdio.h>
#include <string.h>

static const amt_endpoint relay_address = {{192, 0, 2, 1}, 4, 2268};
static const amt_endpoint own_address = {{10, 0, 0, 1}, 4, 40000};
static const amt_endpoint source = {{198, 51, 100, 10}, 4, 1000};
static const amt_endpoint group = {{232, 1, 1, 1}, 4, 5000};

static amt_core *core;
static amt_test_relay *relay;
static int64_t now_ns;
static char received[100];

/* Does what the core wants: here messages go to the relay in memory, in a program to sendto(2). */
static uint32_t drain_core(uint32_t socket) {
  amt_output output;
  output.struct_size = sizeof output;
  while (amt_core_poll(core, &output) == AMT_OK && output.kind != AMT_OUTPUT_DEADLINE) {
    if (output.kind == AMT_OUTPUT_OPEN_SOCKET) socket = output.socket;
    if (output.kind == AMT_OUTPUT_TRANSMIT) {
      amt_test_relay_receive(relay, now_ns, &own_address, output.octets, output.size);
    }
    for (size_t i = 0; i < output.packet_count; ++i) {
      strncat(received, (const char *)output.packets[i].payload, output.packets[i].octets);
    }
  }
  return socket;
}

/* Until both have nothing more to say. */
static void drain(void) {
  static uint32_t socket;
  static unsigned char octets[2000];
  amt_output output;
  output.struct_size = sizeof output;
  socket = drain_core(socket);
  while (amt_test_relay_poll(relay, now_ns, &output) == AMT_OK && output.kind == AMT_OUTPUT_TRANSMIT) {
    amt_datagram datagram = {octets, output.size, relay_address, 0};
    memcpy(octets, output.octets, output.size);
    amt_core_receive(core, now_ns, socket, &datagram, 1);
    socket = drain_core(socket);
  }
}

static size_t send_text(const char *text) {
  amt_packet packet;
  size_t tunnels = 0;
  memset(&packet, 0, sizeof packet);
  packet.payload = text;
  packet.octets = strlen(text);
  packet.source = source;
  packet.group = group;
  amt_test_relay_send(relay, now_ns, &packet, &tunnels);
  drain();
  return tunnels;
}

int main(void) {
  amt_core_options options = AMT_CORE_OPTIONS_INIT;
  amt_error error;
  size_t tunnels;
  options.relay = "192.0.2.1";
  core = amt_core_open(&options, now_ns, &error);
  relay = amt_test_relay_open(&relay_address, now_ns);
  if (!core || !relay) return fprintf(stderr, "%s\n", amt_error_text(&error)), 1;
  drain();
  amt_core_set_membership(core, now_ns, &group, AMT_INCLUDE, &source, 1);
  drain();
  now_ns += 1000000;
  send_text("through ");
  send_text("the tunnel");
  amt_core_shutdown(core, now_ns);
  drain();
  tunnels = send_text("too late");
  printf("%s; after the Teardown %d tunnels\n", received, (int)tunnels);
  amt_core_close(core);
  amt_test_relay_close(relay);
  return strcmp(received, "through the tunnel") != 0 || tunnels != 0;
}
