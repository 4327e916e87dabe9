#pragma once
/// How many descriptors this process may have, and how many of them one purpose may take.

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace amt {

/// Raises the limit of locked memory as far as the process may (CAP_SYS_RESOURCE: to no limit). Frames of AF_XDP count
/// there.
void raise_locked_memory_limit();

/// Raises the soft limit to the hard one; where more are wanted and the process may (CAP_SYS_RESOURCE), the hard one,
/// too. The limit that holds now.
std::size_t raise_descriptor_limit(std::size_t wanted = 0);

/// How many are open now.
[[nodiscard]] std::size_t open_descriptors();

/// A share of the process's descriptors. Not thread-safe.
class DescriptorBudget {
 public:
  /// Without a bound of its own until `set_max`.
  DescriptorBudget() = default;
  explicit DescriptorBudget(std::size_t max) : max_(max) {}

  /// False: the share is used up.
  [[nodiscard]] bool take() {
    if (used_ >= max_) return false;
    ++used_;
    return true;
  }
  void give_back() { --used_; }
  /// Descriptors above a new limit stay taken.
  void set_max(std::size_t max) { max_ = max; }

  [[nodiscard]] std::size_t max() const { return max_; }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::size_t max_ = SIZE_MAX;
  std::size_t used_ = 0;
};

/// Descriptors kept for the control socket, its clients, the log and interfaces that are opened anew.
inline constexpr std::size_t kDescriptorsKept = 256;

/// Of `limit` descriptors, `open` of which are taken: the number that joins may use. A process that has few keeps a
/// quarter of them instead of `kDescriptorsKept`.
[[nodiscard]] constexpr std::size_t descriptors_for_joins(std::size_t limit, std::size_t open) {
  const std::size_t kept = std::min(kDescriptorsKept, limit / 4);
  return limit > open + kept ? limit - open - kept : 0;
}

}  // namespace amt
