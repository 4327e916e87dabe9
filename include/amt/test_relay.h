#ifndef AMT_TEST_RELAY_H
#define AMT_TEST_RELAY_H
/*
 * For the tests of programs that use amt/core.h: a relay in memory (RFC 7450 5.3), without a socket, a clock or a
 * network. It is the machine of `amt relay` itself: it checks nonces and Response MACs, keeps a tunnel for each
 * endpoint, and ages them. A relay to which a test delivers nothing is a silent one. One that was restarted is another,
 * opened at the same address.
 *
 *     what the core transmits to the relay's address: amt_test_relay_receive
 *     what a source sends:                            amt_test_relay_send
 *     amt_test_relay_poll until it gives AMT_OUTPUT_DEADLINE; each AMT_OUTPUT_TRANSMIT goes to amt_core_receive
 *
 * Random numbers are the same in each run. Its functions are in a library of their own, which is for building tests and
 * not for running programs: pkg-config amt-test. One thread at a time. Nothing that is passed ends the process.
 * C99 and C++11. Example: examples/core_test.c.
 */

#include "amt/core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct amt_test_relay amt_test_relay;

/* At this address and port, to which Relay Discovery can be sent, too. Null: no memory, or an argument that cannot be.
 * `now_ns`: as of a core. To be ended by amt_test_relay_close. */
AMT_API amt_test_relay* amt_test_relay_open(const amt_endpoint* address, int64_t now_ns);
/* Null: nothing. */
AMT_API void amt_test_relay_close(amt_test_relay* relay);
/* A message of the gateway whose address and port are `from`. A relay drops what is malformed or forged, silently. */
AMT_API amt_status amt_test_relay_receive(amt_test_relay* relay, int64_t now_ns, const amt_endpoint* from,
                                          const void* octets, size_t size);
/* A UDP datagram from `packet->source` to `packet->group`: each gateway that asked for it gets it
 * (AMT_OUTPUT_TRANSMIT). `tunnels`, if not null: how many do. AMT_ERROR_ARGUMENT: addresses of two families, no group,
 * more than 65000 octets. */
AMT_API amt_status amt_test_relay_send(amt_test_relay* relay, int64_t now_ns, const amt_packet* packet,
                                       size_t* tunnels);
/* AMT_OUTPUT_TRANSMIT: `octets`, `size` go to the gateway at `endpoint`. AMT_OUTPUT_DEADLINE: poll again then.
 * `output->struct_size` is set by the caller. The octets are good until the next call. */
AMT_API amt_status amt_test_relay_poll(amt_test_relay* relay, int64_t now_ns, amt_output* output);

#ifdef __cplusplus
}
#endif
#endif
