#ifndef AMT_CORE_H
#define AMT_CORE_H
/*
 * libamt without sockets, clock, resolver or thread (sans-I/O): the gateway of RFC 7450 5.2 over all its relays
 * (RFC 8777 3), as a machine that the caller drives. It decides; the caller sends, receives, asks and waits.
 *
 *     one input: amt_core_set_membership, _receive, _answer or _timeout
 *     amt_core_poll until it gives AMT_OUTPUT_DEADLINE
 *     wait until a datagram or an answer comes, or the deadline is over; then the next input
 *
 * A core belongs to one thread at a time. No function blocks or reads a clock. `now_ns` is in nanoseconds of any clock
 * that only goes forward, from 0 to AMT_TIME_MAX; an earlier time than that of the call before counts as that one.
 * A caller's mistake has the status AMT_ERROR_ARGUMENT or AMT_ERROR_ORDER, and changes nothing. After AMT_ERROR_MEMORY
 * the core can only be closed. C99 and C++11. Docs: docs/library.md.
 */

#include "amt/amt.h"

#ifdef __cplusplus
extern "C" {
#endif

#define AMT_TIME_MAX (INT64_MAX / 4)
#define AMT_NO_DEADLINE INT64_MAX
/* Of one group. */
#define AMT_CORE_SOURCES_MAX 1024
/* Of one answer. */
#define AMT_CORE_RECORDS_MAX 256
#define AMT_CORE_RECORD_OCTETS_MAX 65535
/* Of one call. */
#define AMT_CORE_DATAGRAMS_MAX 1024

typedef struct amt_core amt_core;

/* All strings are copied. Null, 0: the default. Begin with AMT_CORE_OPTIONS_INIT. */
typedef struct amt_core_options {
  size_t struct_size;         /* sizeof(amt_core_options), as the caller knows it */
  const char* relay;          /* ADDR[:PORT], several with commas between: the first that answers is used. Default:
                                 relays are found */
  const char* discovery;      /* ADDR[:PORT]: ask there which relay to use (RFC 7450 5.2.3.4); several with commas */
  const char* discover_order; /* how relays are found: "dnssd,driad,anycast" is the default. Without a DNS: "anycast" */
  const char* local;          /* the address that the tunnels leave from; default: AMT_OUTPUT_ASK_SOURCE */
  /* Fills `octets` with random octets, for nonces and jitter. Whoever can guess them can forge a relay's answers
   * (RFC 7450 6). It calls no function of this core. Default: the operating system's generator. */
  void (*fill_random)(void* context, void* octets, size_t size);
  void* random_context;
  int reads_ecn; /* not 0: `ecn` of each amt_datagram is what arrived; relays then mark congestion (RFC 9601) */
} amt_core_options;

#define AMT_CORE_OPTIONS_INIT \
  { sizeof(amt_core_options), 0, 0, 0, 0, 0, 0, 0 }

/* `options` null: relays are found. Null: `error` (if not null) says why. Poll it before the first input.
 * To be ended by amt_core_close. Cost: some kilobytes, and the system's generator, if that is used. */
AMT_API amt_core* amt_core_open(const amt_core_options* options, int64_t now_ns, amt_error* error);
/* Frees it, and sends nothing: see amt_core_shutdown. Null: nothing. */
AMT_API void amt_core_close(amt_core* core);

typedef enum amt_filter_mode {
  AMT_INCLUDE = 0, /* these sources; none: the group is left */
  AMT_EXCLUDE = 1  /* every source but these */
} amt_filter_mode;

/* What is wanted of `group` from now on (RFC 3376 3, RFC 3810 4). Ports are not looked at. `sources`: may be null when
 * there are none; they are copied. AMT_ERROR_ARGUMENT: no multicast group that a relay would take, an EXCLUDE of a
 * source-specific group, a source that is no unicast address of the group's family. */
AMT_API amt_status amt_core_set_membership(amt_core* core, int64_t now_ns, const amt_endpoint* group,
                                           amt_filter_mode mode, const amt_endpoint* sources, size_t source_count);

/* A UDP datagram that arrived. */
typedef struct amt_datagram {
  void* octets; /* the UDP payload. It may be changed in place (RFC 6040), and AMT_OUTPUT_PACKETS points into it */
  size_t size;
  amt_endpoint from;
  uint8_t ecn; /* of the outer IP header, 0 to 3; see reads_ecn */
} amt_datagram;

/* What arrived at a socket, AMT_CORE_DATAGRAMS_MAX at most. The octets stay the caller's, and stay where they are until
 * the core was polled to the end. What is malformed, unwanted or not the relay's is dropped and counted. Cost: no
 * allocation for data that is accepted and no fragment; a look-up, a checksum. */
AMT_API amt_status amt_core_receive(amt_core* core, int64_t now_ns, uint32_t socket, const amt_datagram* datagrams,
                                    size_t count);
/* The deadline is over. Too early: does nothing. */
AMT_API amt_status amt_core_timeout(amt_core* core, int64_t now_ns);
/* Leaves everything: a Teardown or a leave goes to each relay (RFC 7450 5.2.3.8). From then on the core can be polled
 * and closed; other inputs have the status AMT_ERROR_ORDER. */
AMT_API amt_status amt_core_shutdown(amt_core* core, int64_t now_ns);

/* What the caller has to do or to know. */
typedef enum amt_output_kind {
  AMT_OUTPUT_DEADLINE = 0,     /* `deadline_ns`. It comes last: there is nothing more before the next input */
  AMT_OUTPUT_PACKETS = 1,      /* `packets`, `packet_count`: what was asked for, each once, reassembled */
  AMT_OUTPUT_TRANSMIT = 2,     /* send `octets`, `size` from `socket` to `endpoint` */
  AMT_OUTPUT_OPEN_SOCKET = 3,  /* a UDP socket bound to `endpoint`, of that family, is `socket` from now on */
  AMT_OUTPUT_CLOSE_SOCKET = 4, /* `socket` is not used any more; its number does not come again */
  AMT_OUTPUT_ASK_DNS = 5,      /* records of the DNS: `question`, the name in `text`, `record_type`. AMT_ANSWER_DNS,
                                  or no answer */
  AMT_OUTPUT_ASK_SOURCE = 6,   /* by which own address is `endpoint` reached? AMT_ANSWER_SOURCE */
  AMT_OUTPUT_ASK_DOMAINS = 7,  /* in which DNS domains is this host (RFC 6763 11)? AMT_ANSWER_DOMAINS */
  AMT_OUTPUT_RELAY = 8,        /* a tunnel to the relay at the address of `endpoint` begins */
  AMT_OUTPUT_EVENT = 9         /* one sentence for a log: `level`, `text` */
} amt_output_kind;

/* Members that a kind does not name are 0. */
typedef struct amt_output {
  size_t struct_size; /* to be set by the caller: sizeof(amt_output) */
  amt_output_kind kind;
  uint32_t socket;
  int64_t deadline_ns; /* AMT_NO_DEADLINE: none */
  amt_endpoint endpoint;
  const void* octets;
  size_t size;
  const amt_packet* packets; /* `arrival_ns`: the `now_ns` of the input */
  size_t packet_count;
  uint64_t question;
  uint16_t record_type;
  amt_level level;
  const char* text;
} amt_output;

/* The next output. What its pointers name is good until the next call with this core, `packets` until the next input.
 * AMT_ERROR_ARGUMENT: a null pointer, or a `struct_size` that is too small. */
AMT_API amt_status amt_core_poll(amt_core* core, amt_output* output);

typedef enum amt_answer_kind {
  AMT_ANSWER_DNS = 1,            /* to `question`: records and `ttl_seconds`, or `text` that says why there are none */
  AMT_ANSWER_SOURCE = 2,         /* `endpoint` is reached by the address of `source`; `source.length` 0: it is not */
  AMT_ANSWER_DOMAINS = 3,        /* `names`: the domains; `count` 0: none */
  AMT_ANSWER_SOCKET_FAILED = 4,  /* `socket` could not be opened: `text` */
  AMT_ANSWER_SEND_FAILED = 5,    /* the last message from `socket` to `endpoint` could not be sent: `text` */
  AMT_ANSWER_UNREACHABLE = 6,    /* ICMP Destination Unreachable for a message from `socket` to `endpoint` */
  AMT_ANSWER_NETWORK_CHANGED = 7 /* this host's interfaces, addresses or routes changed */
} amt_answer_kind;

typedef enum amt_dnssec {
  AMT_DNSSEC_UNCHECKED = 0,
  AMT_DNSSEC_SECURE = 1,
  AMT_DNSSEC_INSECURE = 2,
  AMT_DNSSEC_BOGUS = 3
} amt_dnssec;

/* The data of a DNS record, as it stands in the message, names in it uncompressed. */
typedef struct amt_record {
  const void* octets;
  size_t size;
} amt_record;

/* Members that a kind does not name are not looked at. Everything is copied. Begin with a struct that is all 0. */
typedef struct amt_answer {
  size_t struct_size; /* sizeof(amt_answer) */
  amt_answer_kind kind;
  uint32_t socket;
  uint64_t question;
  amt_endpoint endpoint;
  amt_endpoint source;
  const amt_record* records;
  const char* const* names;
  size_t count; /* of `records` or of `names`, AMT_CORE_RECORDS_MAX at most */
  uint32_t ttl_seconds;
  amt_dnssec dnssec;
  int denied;       /* not 0: there certainly is no such record */
  const char* text; /* null: unknown */
} amt_answer;

/* To an output, or what the network says. It may come before the core was polled to the end. An answer to what was not
 * asked, or is not asked any more, does nothing. */
AMT_API amt_status amt_core_answer(amt_core* core, int64_t now_ns, const amt_answer* answer);

/* As of a receiver; what only a receiver counts is 0. */
AMT_API amt_status amt_core_get_statistics(const amt_core* core, amt_receiver_statistics* statistics);
/* As amt_receiver_silence_reason. */
AMT_API size_t amt_core_silence_reason(const amt_core* core, char* text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
