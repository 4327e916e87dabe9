#include "io/membership_kernel.hh"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "sys/socket_address.hh"

namespace amt {
namespace {

/// The kernel walks a socket's groups at each join.
constexpr std::size_t kGroupsPerSocketMax = 512;
/// The default of Linux.
constexpr std::size_t kIpv4GroupsPerSocket = 20;
constexpr std::size_t kIpv4SourcesPerGroup = 10;
constexpr std::size_t kIpv6SourcesPerGroup = 64;

std::size_t read_limit(const char* path, std::size_t otherwise) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value && value > 0 ? value : otherwise;
}

class LinuxMembershipKernel final : public MembershipKernel {
 public:
  explicit LinuxMembershipKernel(int interface_index) : interface_index_(interface_index) {
    std::array<char, IF_NAMESIZE> name{};
    const char* const found = ::if_indextoname(static_cast<unsigned>(interface_index), name.data());
    interface_ = found != nullptr ? found : "interface " + std::to_string(interface_index);
    const std::size_t ipv4_groups = read_limit("/proc/sys/net/ipv4/igmp_max_memberships", kIpv4GroupsPerSocket);
    limits_v4_ = {std::min(kGroupsPerSocketMax, ipv4_groups),
                  read_limit("/proc/sys/net/ipv4/igmp_max_msf", kIpv4SourcesPerGroup)};
    // IPv6 counts no groups; net.core.optmem_max bounds the memberships of a socket, which shows when it is reached.
    limits_v6_ = {kGroupsPerSocketMax, read_limit("/proc/sys/net/ipv6/mld_max_msf", kIpv6SourcesPerGroup)};
  }

  Limits limits(Family family) const override { return family == Family::kIpv4 ? limits_v4_ : limits_v6_; }
  const std::string& interface() const override { return interface_; }

  int open(Family family) override {
    // Never bound, so it receives nothing.
    const int fd = ::socket(address_family(family), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 ? fd : -errno;
  }
  void close(int socket) override { ::close(socket); }

  int join(int socket, const Channel& channel) override {
    return request(socket, channel.source ? MCAST_JOIN_SOURCE_GROUP : MCAST_JOIN_GROUP, channel);
  }
  int leave(int socket, const Channel& channel) override {
    return request(socket, channel.source ? MCAST_LEAVE_SOURCE_GROUP : MCAST_LEAVE_GROUP, channel);
  }
  int block(int socket, const IpAddress& group, const IpAddress& source) override {
    return request(socket, MCAST_BLOCK_SOURCE, {source, group});
  }
  int unblock(int socket, const IpAddress& group, const IpAddress& source) override {
    return request(socket, MCAST_UNBLOCK_SOURCE, {source, group});
  }

 private:
  [[nodiscard]] int request(int socket, int option, const Channel& channel) const;

  int interface_index_;
  std::string interface_;
  Limits limits_v4_;
  Limits limits_v6_;
};

int LinuxMembershipKernel::request(int socket, int option, const Channel& channel) const {
  const int level = channel.group.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  const SocketAddress group({channel.group, 0});
  int result = 0;
  if (channel.source) {
    group_source_req with_source{};
    with_source.gsr_interface = static_cast<std::uint32_t>(interface_index_);
    std::memcpy(&with_source.gsr_group, group.data(), group.size());
    const SocketAddress source({*channel.source, 0});
    std::memcpy(&with_source.gsr_source, source.data(), source.size());
    result = ::setsockopt(socket, level, option, &with_source, sizeof with_source);
  } else {
    group_req any_source{};
    any_source.gr_interface = static_cast<std::uint32_t>(interface_index_);
    std::memcpy(&any_source.gr_group, group.data(), group.size());
    result = ::setsockopt(socket, level, option, &any_source, sizeof any_source);
  }
  return result == 0 ? 0 : errno;
}

}  // namespace

std::unique_ptr<MembershipKernel> open_membership_kernel(int interface_index) {
  return std::make_unique<LinuxMembershipKernel>(interface_index);
}

}  // namespace amt
