#pragma once
/// Joining on a real interface by the kernel's own IGMPv3 / MLDv2 (host mode of the relay's upstream).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "io/membership_kernel.hh"
#include "membership/source_filter.hh"
#include "sys/descriptor_limit.hh"
#include "sys/error.hh"

namespace amt {

/// Brings the kernel's membership on one interface to the wanted filters, in portions. `set` only records; `work` makes
/// the calls. Filters are kept by group, so changes supersede each other: a group that is joined and left meanwhile
/// costs the kernel nothing. A join that fails is remembered, retried by `retry`, and harms no other. Not thread-safe.
class NativeMembership {
 public:
  /// `budget` outlives this object.
  NativeMembership(std::unique_ptr<MembershipKernel> kernel, DescriptorBudget& budget);
  ~NativeMembership();
  NativeMembership(NativeMembership&&) noexcept;
  NativeMembership& operator=(NativeMembership&&) noexcept;

  /// From now on `filter` is wanted of `group`; INCLUDE({}) leaves. EXCLUDE with more sources than the kernel takes is
  /// joined without the surplus blocks: the replication table filters anyway. No system call.
  void set(const IpAddress& group, const SourceFilter& filter);

  /// Makes one system call or a few at a time, until nothing is left to do or `is_enough` says so. True: more waits.
  /// The newest join, the oldest join and a leave take turns: a join of one channel does not wait for thousands of
  /// others, and none waits for ever. Of the leaves, the newest membership goes first: the kernel walks an interface's
  /// groups from there.
  bool work(const std::function<bool()>& is_enough);

  /// Lets `work` try failed joins again, at most `kRetriesMax` groups a call, all of them in turn. It does so by itself
  /// when a leave has set a descriptor free.
  void retry();
  static constexpr std::size_t kRetriesMax = 256;

  /// Joins that failed and are still wanted.
  [[nodiscard]] std::size_t missing() const;
  /// Groups that wait for `work`.
  [[nodiscard]] std::size_t waiting() const;
  [[nodiscard]] std::size_t socket_count() const;
  /// Copies of the sockets' descriptors: as long as one is open, its joins stay.
  void append_descriptors(std::vector<int>& out) const;

  /// The last failure since this was asked last, for the log.
  [[nodiscard]] std::optional<SysError> take_failure();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
