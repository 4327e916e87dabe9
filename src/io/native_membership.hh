#pragma once
/// Joining on a real interface by the kernel's own IGMPv3 / MLDv2 (host mode of the relay's upstream).

#include <cstdint>
#include <memory>
#include <string>

#include "membership/source_filter.hh"
#include "sys/error.hh"

namespace amt {

/// Keeps the kernel's membership on one interface equal to what is wanted. Spreads over as many sockets as the kernel's
/// per-socket limits ask for (igmp_max_memberships: 20 groups; igmp_max_msf: 10 sources of a group; optmem for IPv6).
/// A join that fails is remembered, retried by `retry`, and harms no other. Not thread-safe.
class NativeMembership {
 public:
  explicit NativeMembership(int interface_index);
  ~NativeMembership();
  NativeMembership(NativeMembership&&) noexcept;
  NativeMembership& operator=(NativeMembership&&) noexcept;

  /// From now on `filter` is wanted of `group`; INCLUDE({}) leaves. EXCLUDE with more sources than the kernel takes is
  /// joined without the surplus blocks: the replication table filters anyway. Error: the first join that failed, for
  /// the log.
  SysResult<void> set(const IpAddress& group, const SourceFilter& filter);

  /// Tries again what failed, at most `kRetriesMax` groups a call, all of them in turn. How many joins are still
  /// missing.
  std::size_t retry();
  static constexpr std::size_t kRetriesMax = 256;
  [[nodiscard]] std::size_t missing() const;
  [[nodiscard]] std::size_t socket_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
