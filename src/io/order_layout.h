#pragma once
/* What the relay and its program in the kernel write for each other, in memory that both see. C and C++. */

#include <linux/types.h>

enum {
  AMT_ORDER_COPIES_MAX = 64,
  AMT_ORDER_DEVICES_MAX = 4,
  /* Destinations: numbers of 16 bits. */
  AMT_ORDER_DESTINATIONS = 65536,
  AMT_ORDER_ECN_SHIFT = 30,
};

/* Ethernet, IP and UDP header of one flow, up to 62 octets: the lengths are 0, and in the place of each checksum stands
   the sum of what is there already. One cache line. */
struct amt_destination {
  __u64 words[8];
};

/* One packet, and where copies of it go. */
struct amt_order {
  /* From the relay. */
  __u32 map; /* number in `copies`: of the device, and of how many copies */
  __u32 is_ipv6;
  __u16 ip_length; /* IPv4 Total Length or IPv6 Payload Length; as on the wire, like those that follow */
  __u16 udp_length;
  __u16 udp_sum;                            /* of the payload, and twice the length */
  __u32 destinations[AMT_ORDER_COPIES_MAX]; /* number, and from AMT_ORDER_ECN_SHIFT on the outer ECN */
  /* From the kernel. */
  __u32 next; /* copy that is made next */
  __u32 processor;
  __u32 copies;   /* how many are asked for */
  __u32 reported; /* how many of the copies the device has been asked to send */
  __u64 sent;     /* bit k: the device took copy k */
};
