#ifndef AMT_AMT_H
#define AMT_AMT_H
/*
 * libamt: multicast for a program whose network carries none, by Automatic Multicast Tunneling (RFC 7450). C99 and
 * C++11.
 *
 * A receiver owns its sockets and starts no thread of its own. (The resolver library has one while the DNS is asked for
 * relays; a name given as `relay` is looked up on one, too.) It never blocks, but for amt_receiver_open with a name.
 * It belongs to one thread at a time; several receivers may run on several threads. Nothing is printed.
 *
 *     wait until amt_receiver_fd is readable, or amt_receiver_timeout_ms is over
 *     amt_receiver_process
 *     amt_receiver_read until it is negative
 *
 * For a program with sockets, clock and resolver of its own: amt/core.h. Docs: docs/library.md.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define AMT_API __attribute__((visibility("default")))
#else
#define AMT_API
#endif

/* Grows when a program that was compiled before would not work any more. */
#define AMT_ABI_VERSION 0

/* What a function says of itself. Never 0 for a failure. */
typedef enum amt_status {
  AMT_OK = 0,
  AMT_ERROR_ARGUMENT = 1, /* a null pointer, an option that cannot be: a mistake of the caller's */
  AMT_ERROR_URL = 2,      /* not amt://[SOURCE@]GROUP[:PORT][?relay=ADDR[:PORT]] */
  AMT_ERROR_NAME = 3,     /* a relay's name has no address */
  AMT_ERROR_SYSTEM = 4,   /* a system call failed; see amt_error.system_error */
  AMT_ERROR_MEMORY = 5,   /* no memory */
  AMT_ERROR_INTERNAL = 6, /* a bug of the library's: please report it */
  AMT_ERROR_ORDER = 7     /* a call at the wrong time: amt/core.h */
} amt_status;

/* Why something failed. `text`: one line, as a person reads it, and always ended by a 0. */
typedef struct amt_error {
  amt_status status;
  int system_error; /* errno; 0 where there is none */
  char text[240];
} amt_error;

/* Never null. */
AMT_API const char* amt_error_text(const amt_error* error);
/* Of the status alone. Never null. */
AMT_API const char* amt_status_text(amt_status status);
/* Of the library that is loaded: "1.2.3". */
AMT_API const char* amt_version(void);
/* Of the library that is loaded, to be compared with AMT_ABI_VERSION. */
AMT_API int amt_abi_version(void);

/* How much an event matters, in ascending order. */
typedef enum amt_level {
  AMT_LEVEL_DEBUG = 1,
  AMT_LEVEL_INFO = 2,
  AMT_LEVEL_WARNING = 3,
  AMT_LEVEL_ERROR = 4
} amt_level;

/* One sentence about what happens (a relay is found, is lost, ...), for a log. `text` is good during the call. Called
 * from amt_receiver_open, _process, _join and _close, on their thread; it calls no function of this receiver. */
typedef void (*amt_event_handler)(void* context, amt_level level, const char* text);

/* All strings are copied. Null, 0: the default. Begin with AMT_RECEIVER_OPTIONS_INIT. */
typedef struct amt_receiver_options {
  size_t struct_size;    /* sizeof(amt_receiver_options), as the caller knows it */
  const char* relay;     /* ADDR[:PORT] or NAME[:PORT]; several with commas between: the first that answers is used.
                            Default: the URL's, else relays are found */
  const char* discovery; /* ADDR[:PORT]: ask there which relay to use (RFC 7450 5.2.3.4); several with commas */
  const char* discover_order;   /* how relays are found: "dnssd,driad,anycast" is the default */
  const char* local;            /* the address that the tunnel leaves from; default: by the route */
  const char* resolvers;        /* ADDR[:PORT], several with commas: the DNS servers; default: this host's */
  const char* native_interface; /* with `native`: that one; default: by the route */
  int native;                   /* not 0: the local network is tried first (RFC 8777 3.1.1); needs a port in the URL */
  amt_event_handler on_event;
  void* event_context;
  size_t queue_octets; /* payload that waits for amt_receiver_read at most; default 8 MiB. More is dropped, counted */
} amt_receiver_options;

#define AMT_RECEIVER_OPTIONS_INIT \
  { sizeof(amt_receiver_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

typedef struct amt_receiver amt_receiver;

/* Begins to receive a channel. `options` null: the defaults of `amt receive`. Null: `error` (if not null) says why.
 * Cost: one UDP socket or two, and an epoll descriptor. To be ended by amt_receiver_close. */
AMT_API amt_receiver* amt_receiver_open(const char* url, const amt_receiver_options* options, amt_error* error);
/* Leaves the channel (a Teardown or a leave goes to the relay) and frees everything. Null: nothing. */
AMT_API void amt_receiver_close(amt_receiver* receiver);

/* Readable when amt_receiver_process has something to do: for poll(2), select(2), epoll(7). The same one for the
 * receiver's life; it stays the receiver's. -1: `receiver` is null. */
AMT_API int amt_receiver_fd(const amt_receiver* receiver);
/* Milliseconds until amt_receiver_process has something to do though the descriptor is not readable; -1: never. As
 * poll(2) takes it. */
AMT_API int amt_receiver_timeout_ms(const amt_receiver* receiver);
/* Does all that there is to do and takes what has arrived, some hundred datagrams a call. A relay that is lost is no
 * failure: others are tried. After a failure the receiver can only be closed. */
AMT_API amt_status amt_receiver_process(amt_receiver* receiver);
/* Why amt_receiver_process or amt_receiver_join failed last. Good until the next call with this receiver. Never null.
 */
AMT_API const amt_error* amt_receiver_error(const amt_receiver* receiver);

/* An address of 4 or 16 octets in network order, and a UDP port. */
typedef struct amt_endpoint {
  uint8_t octets[16];
  uint8_t length; /* 4: IPv4; 16: IPv6 */
  uint16_t port;  /* host order */
} amt_endpoint;

/* One UDP datagram of the channel. */
typedef struct amt_packet {
  const void* payload; /* good until the next amt_receiver_process, _join or _close */
  size_t octets;
  amt_endpoint source;
  amt_endpoint group;
  int64_t arrival_ns; /* CLOCK_MONOTONIC, when it was read */
} amt_packet;

/* Copies the payload of the next datagram to `buffer`. Octets of the payload, 0 for an empty one; negative: none waits.
 * A payload longer than `size` is cut, and its whole length is returned. */
AMT_API long amt_receiver_read(amt_receiver* receiver, void* buffer, size_t size);
/* The same without a copy. 1: `packet` is filled in; 0: none waits. */
AMT_API int amt_receiver_next(amt_receiver* receiver, amt_packet* packet);

/* Another channel in this one's place, through the same relay where that has it. What still waits of the old one is
 * dropped. `relay` of the URL is not used. On failure the old channel goes on. */
AMT_API amt_status amt_receiver_join(amt_receiver* receiver, const char* url);

/* Since the receiver was opened. */
typedef struct amt_receiver_statistics {
  size_t struct_size;       /* to be set by the caller: sizeof(amt_receiver_statistics) */
  uint64_t packets;         /* handed on or waiting */
  uint64_t octets;          /* of their payloads */
  uint64_t dropped_unread;  /* did not fit into the queue */
  uint64_t dropped_kernel;  /* did not fit into the socket's buffer */
  uint64_t dropped_damaged; /* malformed, a wrong checksum, fragments that did not all come */
  uint64_t other_ports;     /* of the group, for ports that the URL does not name */
  uint64_t relay_changes;
  int connected; /* 1: a relay has answered and holds the membership */
} amt_receiver_statistics;
AMT_API amt_status amt_receiver_get_statistics(const amt_receiver* receiver, amt_receiver_statistics* statistics);

/* Why nothing comes, as far as that can be seen from here: one clause for a person, in `text`, cut to `size`, ended by
 * a 0. Its whole length. */
AMT_API size_t amt_receiver_silence_reason(const amt_receiver* receiver, char* text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
