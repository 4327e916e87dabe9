#include "sys/next_hop.hh"

#include <linux/if_addr.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/byte_reader.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

// One answer, or some notifications: the size that the kernel itself uses for a dump.
constexpr std::size_t kBufferOctets = 32 << 10;
// Reads for one poll: more only if the kernel talks faster than we listen.
constexpr int kReadsMax = 64;
constexpr int kListenOctets = 1 << 20;
// A neighbour whose link-layer address may be used (NUD_VALID), less those that need none.
constexpr unsigned kResolved = NUD_PERMANENT | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY;
constexpr std::array kGroups = {RTNLGRP_LINK,        RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
                                RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
                                RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP};

struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

void put_address(nl_msg* message, int type, const IpAddress& address) {
  nla_put(message, type, static_cast<int>(address.bytes().size()), address.bytes().data());
}

std::optional<IpAddress> address_in(nlattr* attribute) {
  if (attribute == nullptr) return std::nullopt;
  const auto octets = static_cast<std::size_t>(nla_len(attribute));
  if (octets != 4 && octets != 16) return std::nullopt;
  return IpAddress::from_bytes({static_cast<const std::byte*>(nla_data(attribute)), octets});
}

std::optional<MacAddress> mac_in(nlattr* attribute) {
  MacAddress mac;
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(mac.size())) return std::nullopt;
  std::copy_n(static_cast<const std::byte*>(nla_data(attribute)), mac.size(), mac.begin());
  return mac;
}

/// The attributes behind a message's fixed part of type `Head`; null for those that are not there.
template <typename Head, std::size_t kMax>
std::array<nlattr*, kMax + 1> attributes_of(nlmsghdr* message) {
  std::array<nlattr*, kMax + 1> attributes{};
  nlmsg_parse(message, sizeof(Head), attributes.data(), kMax, nullptr);
  return attributes;
}

template <typename Head>
const Head* head_of(nlmsghdr* message) {
  if (nlmsg_datalen(message) < static_cast<int>(sizeof(Head))) return nullptr;
  return static_cast<const Head*>(nlmsg_data(message));
}

std::optional<NeighbourChange> neighbour_in(nlmsghdr* message) {
  const auto* const head = head_of<ndmsg>(message);
  if (head == nullptr || (head->ndm_family != AF_INET && head->ndm_family != AF_INET6)) return std::nullopt;
  const auto attributes = attributes_of<ndmsg, NDA_MAX>(message);
  const std::optional<IpAddress> address = address_in(attributes[NDA_DST]);
  if (!address) return std::nullopt;
  NeighbourChange change{head->ndm_ifindex, *address, std::nullopt};
  const bool resolved = message->nlmsg_type == RTM_NEWNEIGH && (head->ndm_state & kResolved) != 0;
  if (resolved) change.mac = mac_in(attributes[NDA_LLADDR]);
  return change;
}

void read_metrics(nlattr* attribute, FlowRoute& route) {
  std::array<nlattr*, RTAX_MAX + 1> metrics{};
  if (attribute == nullptr || nla_parse_nested(metrics.data(), RTAX_MAX, attribute, nullptr) < 0) return;
  if (metrics[RTAX_MTU] != nullptr) route.mtu_octets = nla_get_u32(metrics[RTAX_MTU]);
  const std::uint32_t hop_limit = metrics[RTAX_HOPLIMIT] != nullptr ? nla_get_u32(metrics[RTAX_HOPLIMIT]) : 0;
  if (hop_limit > 0 && hop_limit <= UINT8_MAX) route.hop_limit = static_cast<std::uint8_t>(hop_limit);
}

/// net.ipv6.conf.IF.hop_limit, which a router's advertisement may have set.
std::optional<std::uint8_t> ipv6_hop_limit_in(nlattr* families) {
  nlattr* const of_ipv6 =
      families == nullptr ? nullptr : nla_find(static_cast<nlattr*>(nla_data(families)), nla_len(families), AF_INET6);
  if (of_ipv6 == nullptr) return std::nullopt;
  nlattr* const values = nla_find(static_cast<nlattr*>(nla_data(of_ipv6)), nla_len(of_ipv6), IFLA_INET6_CONF);
  if (values == nullptr || nla_len(values) < static_cast<int>((DEVCONF_HOPLIMIT + 1) * sizeof(std::int32_t))) {
    return std::nullopt;
  }
  std::int32_t value = 0;
  std::memcpy(&value, static_cast<const std::byte*>(nla_data(values)) + DEVCONF_HOPLIMIT * sizeof value, sizeof value);
  if (value <= 0 || value > UINT8_MAX) return std::nullopt;
  return static_cast<std::uint8_t>(value);
}

}  // namespace

struct NextHopQueries::Impl {
  /// The kernel's answer to one question, valid until the next; null for an error.
  nlmsghdr* ask(Message question);

  UniqueFd asking;
  UniqueFd listening;
  std::uint32_t sequence = 0;
  alignas(nlmsghdr) std::array<std::byte, kBufferOctets> buffer{};
};

nlmsghdr* NextHopQueries::Impl::ask(Message question) {
  nlmsghdr* const header = nlmsg_hdr(question.get());
  header->nlmsg_flags = NLM_F_REQUEST;
  header->nlmsg_seq = ++sequence;
  if (::send(asking.get(), header, header->nlmsg_len, 0) < 0) return nullptr;
  // The answer is there when send() returns. An older one, to a question that was given up, is passed over.
  for (int tries = 0; tries < kReadsMax; ++tries) {
    const ssize_t octets = ::recv(asking.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (octets <= 0) return nullptr;
    auto* const answer = reinterpret_cast<nlmsghdr*>(buffer.data());
    if (nlmsg_ok(answer, static_cast<int>(octets)) == 0 || answer->nlmsg_seq != sequence) continue;
    return answer->nlmsg_type == NLMSG_ERROR ? nullptr : answer;
  }
  return nullptr;
}

NextHopQueries::NextHopQueries(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NextHopQueries::~NextHopQueries() = default;
NextHopQueries::NextHopQueries(NextHopQueries&&) noexcept = default;
NextHopQueries& NextHopQueries::operator=(NextHopQueries&&) noexcept = default;

SysResult<NextHopQueries> NextHopQueries::open() {
  auto impl = std::make_unique<Impl>();
  for (UniqueFd* fd : {&impl->asking, &impl->listening}) {
    *fd = UniqueFd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!*fd) return tl::unexpected(SysError::last("open netlink socket"));
  }
  // Without a port of its own the socket would count as the kernel's, which gets no notifications.
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (::bind(impl->listening.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    return tl::unexpected(SysError::last("bind netlink socket"));
  }
  ::setsockopt(impl->listening.get(), SOL_SOCKET, SO_RCVBUF, &kListenOctets, sizeof kListenOctets);
  for (const int group : kGroups) {
    // An older kernel does not have all of these; it then has nothing to report of them.
    ::setsockopt(impl->listening.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group);
  }
  return NextHopQueries(std::move(impl));
}

std::optional<FlowRoute> NextHopQueries::route(const Endpoint& from, const Endpoint& to) {
  Message question(nlmsg_alloc_simple(RTM_GETROUTE, 0));
  if (!question) return std::nullopt;
  rtmsg head{};
  head.rtm_family = static_cast<unsigned char>(address_family(to.address.family()));
  head.rtm_dst_len = static_cast<unsigned char>(8 * to.address.bytes().size());
  const bool from_any = from.address == IpAddress::unspecified(from.address.family());
  head.rtm_src_len = from_any ? 0 : head.rtm_dst_len;
  nlmsg_append(question.get(), &head, sizeof head, NLMSG_ALIGNTO);
  put_address(question.get(), RTA_DST, to.address);
  if (!from_any) put_address(question.get(), RTA_SRC, from.address);
  nla_put_u8(question.get(), RTA_IP_PROTO, IPPROTO_UDP);
  nla_put_u16(question.get(), RTA_SPORT, htons(from.port));
  nla_put_u16(question.get(), RTA_DPORT, htons(to.port));

  nlmsghdr* const answer = impl_->ask(std::move(question));
  const auto* const found = answer == nullptr ? nullptr : head_of<rtmsg>(answer);
  if (found == nullptr || answer->nlmsg_type != RTM_NEWROUTE || found->rtm_type != RTN_UNICAST) return std::nullopt;
  const auto attributes = attributes_of<rtmsg, RTA_MAX>(answer);
  // RTA_VIA: a router of the other family. RTA_ENCAP: a tunnel made by the route itself.
  if (attributes[RTA_OIF] == nullptr || attributes[RTA_VIA] != nullptr || attributes[RTA_ENCAP] != nullptr) {
    return std::nullopt;
  }
  FlowRoute route;
  route.interface = static_cast<int>(nla_get_u32(attributes[RTA_OIF]));
  route.neighbour = address_in(attributes[RTA_GATEWAY]).value_or(to.address);
  route.source = from_any ? address_in(attributes[RTA_PREFSRC]).value_or(from.address) : from.address;
  if (route.source == IpAddress::unspecified(from.address.family())) return std::nullopt;
  read_metrics(attributes[RTA_METRICS], route);
  return route;
}

std::optional<EthernetLink> NextHopQueries::ethernet_link(int interface) {
  Message question(nlmsg_alloc_simple(RTM_GETLINK, 0));
  if (!question) return std::nullopt;
  ifinfomsg head{};
  head.ifi_index = interface;
  nlmsg_append(question.get(), &head, sizeof head, NLMSG_ALIGNTO);
  nlmsghdr* const answer = impl_->ask(std::move(question));
  const auto* const found = answer == nullptr ? nullptr : head_of<ifinfomsg>(answer);
  constexpr unsigned kWorking = IFF_UP | IFF_RUNNING;
  if (found == nullptr || answer->nlmsg_type != RTM_NEWLINK || found->ifi_type != ARPHRD_ETHER ||
      (found->ifi_flags & kWorking) != kWorking) {
    return std::nullopt;
  }
  const auto attributes = attributes_of<ifinfomsg, IFLA_MAX>(answer);
  const std::optional<MacAddress> mac = mac_in(attributes[IFLA_ADDRESS]);
  if (!mac || attributes[IFLA_IFNAME] == nullptr || attributes[IFLA_MTU] == nullptr) return std::nullopt;
  EthernetLink link{
      .name = nla_get_string(attributes[IFLA_IFNAME]), .mac = *mac, .mtu_octets = nla_get_u32(attributes[IFLA_MTU])};
  link.ipv6_hop_limit = ipv6_hop_limit_in(attributes[IFLA_AF_SPEC]).value_or(link.ipv6_hop_limit);
  return link;
}

std::optional<MacAddress> NextHopQueries::neighbour(int interface, const IpAddress& address) {
  Message question(nlmsg_alloc_simple(RTM_GETNEIGH, 0));
  if (!question) return std::nullopt;
  ndmsg head{};
  head.ndm_family = static_cast<unsigned char>(address_family(address.family()));
  head.ndm_ifindex = interface;
  nlmsg_append(question.get(), &head, sizeof head, NLMSG_ALIGNTO);
  put_address(question.get(), NDA_DST, address);
  nlmsghdr* const answer = impl_->ask(std::move(question));
  if (answer == nullptr || answer->nlmsg_type != RTM_NEWNEIGH) return std::nullopt;
  const std::optional<NeighbourChange> found = neighbour_in(answer);
  return found ? found->mac : std::nullopt;
}

bool NextHopQueries::poll_changes(const std::function<void(const NeighbourChange&)>& on_neighbour) {
  bool all = false;
  for (int reads = 0; reads < kReadsMax; ++reads) {
    const ssize_t octets = ::recv(impl_->listening.get(), impl_->buffer.data(), impl_->buffer.size(), MSG_DONTWAIT);
    if (octets < 0 && errno == ENOBUFS) all = true;
    if (octets <= 0) break;
    auto left = static_cast<int>(octets);
    for (auto* message = reinterpret_cast<nlmsghdr*>(impl_->buffer.data()); nlmsg_ok(message, left) != 0;
         message = nlmsg_next(message, &left)) {
      if (message->nlmsg_type == RTM_NEWNEIGH || message->nlmsg_type == RTM_DELNEIGH) {
        if (const std::optional<NeighbourChange> change = neighbour_in(message)) on_neighbour(*change);
      } else {
        all = true;
      }
    }
  }
  return all;
}

}  // namespace amt
