/* The kernel's half of `--data-path orders` (docs/data-path.md): makes copies of one frame, each for another gateway.

   The relay fills `order` and writes one frame, room for headers and the UDP payload, into its own TAP interface. All of
   this then happens inside that one system call, on one processor, and nothing else of this relay's comes between:
     1. `replicate` asks the kernel for as many copies as its map has entries. All entries name the same device.
     2. `write_headers` runs for each copy, in order, and writes what the next of the order's destinations needs.
     3. `count_sent` hears, for some copies at a time, how many of them the device has taken.
   No memory is shared with another worker: each has its own instance of everything here. */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "order_layout.h"

enum {
  TRAFFIC_CLASS_AT = 15, /* of the Ethernet frame; in IPv6 its lower four bits are in this octet */
  IPV4_LENGTH_AT = 16,
  IPV4_CHECKSUM_AT = 24,
  IPV4_UDP_AT = 34,
  IPV6_LENGTH_AT = 18,
  IPV6_UDP_AT = 54,
  UDP_LENGTH_AT = 4, /* of the UDP header */
  UDP_CHECKSUM_AT = 6,
  UDP_OCTETS = 8,
};

struct amt_order order;
struct amt_destination destinations[AMT_ORDER_DESTINATIONS];
int own_interface;

struct copies_of_one {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, AMT_ORDER_COPIES_MAX);
  __uint(key_size, sizeof(__u32));
  __uint(value_size, sizeof(struct bpf_devmap_val));
};
/* [device * AMT_ORDER_COPIES_MAX + n - 1]: a map of n entries, all the same device. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, AMT_ORDER_DEVICES_MAX * AMT_ORDER_COPIES_MAX);
  __type(key, __u32);
  __array(values, struct copies_of_one);
} copies SEC(".maps");

static __always_inline __u16 fold(__u32 sum) {
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return ~sum;
}

static __always_inline __u16 *u16_at(__u8 *frame, int at) { return (__u16 *)(frame + at); }

static __always_inline void write_udp(__u8 *udp) {
  *u16_at(udp, UDP_LENGTH_AT) = order.udp_length;
  __u16 checksum = fold((__u32)*u16_at(udp, UDP_CHECKSUM_AT) + order.udp_sum);
  /* RFC 768: a checksum of zero is sent as all ones. */
  *u16_at(udp, UDP_CHECKSUM_AT) = checksum ? checksum : 0xffff;
}

SEC("xdp")
int replicate(struct xdp_md *context) {
  __u32 key = order.map;
  order.next = 0;
  order.reported = 0;
  order.sent = 0;
  order.processor = bpf_get_smp_processor_id();
  order.copies = key % AMT_ORDER_COPIES_MAX + 1;
  void *map = bpf_map_lookup_elem(&copies, &key);
  if (map) return bpf_redirect_map(map, 0, BPF_F_BROADCAST);
  order.copies = 0;
  return XDP_DROP;
}

SEC("xdp/devmap")
int write_headers(struct xdp_md *context) {
  __u32 k = order.next++;
  if (k >= AMT_ORDER_COPIES_MAX) return XDP_DROP;
  __u32 destination = order.destinations[k];
  __u32 ecn = destination >> AMT_ORDER_ECN_SHIFT;
  const __u64 *words = destinations[destination & (AMT_ORDER_DESTINATIONS - 1)].words;
  __u8 *frame = (void *)(long)context->data;
  __u8 *end = (void *)(long)context->data_end;
  __u64 *to = (__u64 *)frame;
  if (order.is_ipv6) {
    if (frame + IPV6_UDP_AT + UDP_OCTETS > end) return XDP_DROP;
    for (int i = 0; i < 7; ++i) to[i] = words[i];
    *(__u32 *)&to[7] = *(const __u32 *)&words[7];
    *u16_at(frame, 60) = *((const __u16 *)&words[7] + 2);
    frame[TRAFFIC_CLASS_AT] |= ecn << 4;
    *u16_at(frame, IPV6_LENGTH_AT) = order.ip_length;
    write_udp(frame + IPV6_UDP_AT);
    return XDP_PASS;
  }
  if (frame + IPV4_UDP_AT + UDP_OCTETS > end) return XDP_DROP;
  for (int i = 0; i < 5; ++i) to[i] = words[i];
  *u16_at(frame, 40) = *(const __u16 *)&words[5];
  frame[TRAFFIC_CLASS_AT] |= ecn;
  *u16_at(frame, IPV4_LENGTH_AT) = order.ip_length;
  __u32 sum = (__u32)*u16_at(frame, IPV4_CHECKSUM_AT) + order.ip_length;
  *u16_at(frame, IPV4_CHECKSUM_AT) = fold(sum + bpf_htons(ecn));
  write_udp(frame + IPV4_UDP_AT);
  return XDP_PASS;
}

/* What is read of the kernel's; where it stands is found when the program is loaded. */
struct net_device {
  int ifindex;
} __attribute__((preserve_access_index));

/* The kernel reports the redirects of all namespaces, and another relay's interface may have the same index. On this
   processor no other redirect can happen before all copies have been reported, and none counts after. */
SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(count_sent, const struct net_device *from, const struct net_device *to, int sent, int drops, int error) {
  if (from->ifindex != own_interface || bpf_get_smp_processor_id() != order.processor) return 0;
  __u32 at = order.reported;
  if (at >= order.copies || at >= AMT_ORDER_COPIES_MAX || sent < 0 || sent > AMT_ORDER_COPIES_MAX || drops < 0) return 0;
  __u64 bits = sent == AMT_ORDER_COPIES_MAX ? ~0ULL : (1ULL << sent) - 1;
  order.sent |= bits << at;
  order.reported = at + sent + drops;
  return 0;
}

/* bpf_redirect_map and the rest of what is called here are for programs under the GPL. */
char license_of_program[] SEC("license") = "Dual BSD/GPL";
