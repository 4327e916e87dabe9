#include "io/membership_sockets.hh"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "sys/socket_address.hh"

namespace amt {
namespace {

/// net.ipv4.igmp_max_memberships as Linux sets it; IPv6 is bounded by net.core.optmem_max, which is more.
constexpr std::size_t kGroupsPerSocket = 20;
/// net.ipv4.igmp_max_msf as Linux sets it; net.ipv6.mld_max_msf is 64.
constexpr std::size_t kSourcesPerGroup = 10;

/// A limit that another socket does not have yet.
bool is_limit(int code) { return code == ENOBUFS || code == ENOMEM; }

}  // namespace

class MembershipSockets::Socket {
 public:
  /// One group on this socket: INCLUDE of so many sources, or EXCLUDE with so many blocked.
  struct Slot {
    bool exclude = false;
    std::size_t sources = 0;
    std::size_t sources_max = kSourcesPerGroup;
  };

  Socket(UniqueFd descriptor, Family of) : fd(std::move(descriptor)), family(of) {}

  [[nodiscard]] bool has_room(const Channel& channel) const {
    if (channel.group.family() != family) return false;
    const auto slot = slots.find(channel.group);
    if (slot == slots.end()) return slots.size() < groups_max;
    return channel.source && !slot->second.exclude && slot->second.sources < slot->second.sources_max;
  }

  /// The kernel's limits are lower than usual: never try beyond them again.
  void learn_limit(const IpAddress& group) {
    const auto slot = slots.find(group);
    if (slot == slots.end()) {
      groups_max = slots.size();
    } else {
      slot->second.sources_max = slot->second.sources;
    }
  }

  UniqueFd fd;
  Family family;
  std::map<IpAddress, Slot> slots;
  std::size_t groups_max = kGroupsPerSocket;
};

MembershipSockets::MembershipSockets(int interface_index) : interface_index_(interface_index) {
  std::array<char, IF_NAMESIZE> name{};
  const char* const found = ::if_indextoname(static_cast<unsigned>(interface_index), name.data());
  interface_name_ = found != nullptr ? found : "interface " + std::to_string(interface_index);
}
MembershipSockets::~MembershipSockets() = default;

int MembershipSockets::request(const Socket& socket, int option, const Channel& channel) const {
  const int level = socket.family == Family::kIpv4 ? IPPROTO_IP : IPPROTO_IPV6;
  const SocketAddress group({channel.group, 0});
  int result = 0;
  if (channel.source) {
    group_source_req with_source{};
    with_source.gsr_interface = static_cast<std::uint32_t>(interface_index_);
    std::memcpy(&with_source.gsr_group, group.data(), group.size());
    const SocketAddress source({*channel.source, 0});
    std::memcpy(&with_source.gsr_source, source.data(), source.size());
    result = ::setsockopt(socket.fd.get(), level, option, &with_source, sizeof with_source);
  } else {
    group_req any_source{};
    any_source.gr_interface = static_cast<std::uint32_t>(interface_index_);
    std::memcpy(&any_source.gr_group, group.data(), group.size());
    result = ::setsockopt(socket.fd.get(), level, option, &any_source, sizeof any_source);
  }
  return result == 0 ? 0 : errno;
}

SysError MembershipSockets::failed(const Channel& channel, int code) const {
  return SysError{"join", channel.to_string() + " on " + interface_name_, code};
}

SysResult<MembershipSockets::Socket*> MembershipSockets::join(const Channel& channel) {
  const int option = channel.source ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP;
  const auto try_on = [&](Socket& socket) {
    const int code = request(socket, option, channel);
    if (code == 0) {
      Socket::Slot& slot = socket.slots[channel.group];
      slot.exclude = !channel.source;
      if (channel.source) ++slot.sources;
    } else if (is_limit(code)) {
      socket.learn_limit(channel.group);
    }
    return code;
  };
  for (auto socket = sockets_.rbegin(); socket != sockets_.rend(); ++socket) {
    if (!(*socket)->has_room(channel)) continue;
    const int code = try_on(**socket);
    if (code == 0) return socket->get();
    if (!is_limit(code)) return tl::unexpected(failed(channel, code));
  }
  const Family family = channel.group.family();
  UniqueFd fd(::socket(address_family(family), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return tl::unexpected(failed(channel, errno));
  auto fresh = std::make_unique<Socket>(std::move(fd), family);
  if (const int code = try_on(*fresh); code != 0) return tl::unexpected(failed(channel, code));
  sockets_.push_back(std::move(fresh));
  return sockets_.back().get();
}

void MembershipSockets::leave(Socket& socket, const Channel& channel) {
  // May fail where the interface is gone, and the membership with it.
  static_cast<void>(request(socket, channel.source ? MCAST_LEAVE_SOURCE_GROUP : MCAST_LEAVE_GROUP, channel));
  const auto slot = socket.slots.find(channel.group);
  if (slot == socket.slots.end()) return;
  if (channel.source && slot->second.sources > 1) {
    --slot->second.sources;
    return;
  }
  socket.slots.erase(slot);
  if (socket.slots.empty()) {
    std::erase_if(sockets_, [&socket](const auto& each) { return each.get() == &socket; });
  }
}

bool MembershipSockets::block(Socket& socket, const IpAddress& group, const IpAddress& source) {
  Socket::Slot& slot = socket.slots.at(group);
  if (slot.sources >= slot.sources_max) return false;
  const int code = request(socket, MCAST_BLOCK_SOURCE, {source, group});
  if (is_limit(code)) socket.learn_limit(group);
  if (code == 0) ++slot.sources;
  return code == 0;
}

void MembershipSockets::unblock(Socket& socket, const IpAddress& group, const IpAddress& source) {
  if (request(socket, MCAST_UNBLOCK_SOURCE, {source, group}) == 0) --socket.slots.at(group).sources;
}

}  // namespace amt
