#pragma once
/// The system calls by which a host joins, behind an interface: tests put a kernel of their own in its place.

#include <cstddef>
#include <memory>

#include "amt/channel.hh"
#include "sys/error.hh"

namespace amt {

/// Joins on one interface. Calls return an errno, 0 for done. Sockets are descriptors.
class MembershipKernel {
 public:
  MembershipKernel() = default;
  MembershipKernel(const MembershipKernel&) = delete;
  MembershipKernel& operator=(const MembershipKernel&) = delete;
  virtual ~MembershipKernel() = default;

  /// How much one socket takes.
  struct Limits {
    std::size_t groups_per_socket = 0;
    std::size_t sources_per_group = 0;
  };
  [[nodiscard]] virtual Limits limits(Family family) const = 0;
  /// For errors.
  [[nodiscard]] virtual const std::string& interface() const = 0;

  /// A socket that receives nothing. Negative: an errno.
  [[nodiscard]] virtual int open(Family family) = 0;
  /// Leaves everything that is joined on it.
  virtual void close(int socket) = 0;
  /// With a source: INCLUDE of one source more; without: EXCLUDE({}).
  [[nodiscard]] virtual int join(int socket, const Channel& channel) = 0;
  virtual int leave(int socket, const Channel& channel) = 0;
  /// Of a group that is joined without a source.
  [[nodiscard]] virtual int block(int socket, const IpAddress& group, const IpAddress& source) = 0;
  [[nodiscard]] virtual int unblock(int socket, const IpAddress& group, const IpAddress& source) = 0;
};

/// Linux. Its limits are read now (`net.ipv4.igmp_max_memberships`, `igmp_max_msf`, `net.ipv6.mld_max_msf`), and are
/// never raised: they are the administrator's, and the namespace's.
[[nodiscard]] std::unique_ptr<MembershipKernel> open_membership_kernel(int interface_index);

}  // namespace amt
