#pragma once
/// Admits additions to a RouterState.

#include <cstddef>

#include "amt/ip_address.hh"

namespace amt {

/// Decides for one call of a RouterState; it counts what it refuses. A record of a message is accepted as far as it
/// fits. Existing state goes on being updated (R-5.3.3.8-b).
///
/// A membership: a group in EXCLUDE mode, and each source of a group that has a record, wanted or blocked.
class RouterGate {
 public:
  RouterGate() = default;
  RouterGate(const RouterGate&) = delete;
  RouterGate& operator=(const RouterGate&) = delete;
  virtual ~RouterGate() = default;

  /// Whether a group that has no state may get some.
  [[nodiscard]] virtual bool allows_group(const IpAddress& group) = 0;
  /// Room for up to `wanted` more memberships: how many.
  [[nodiscard]] virtual std::size_t take_memberships(std::size_t wanted) = 0;
  /// Memberships that ended, or that were taken for additions that were refused afterwards.
  virtual void release_memberships(std::size_t count) = 0;
  /// Whether (S,G) may be included that was not, or, with a null source, any source of a group be wanted.
  [[nodiscard]] virtual bool allows_channel(const IpAddress* source, const IpAddress& group) = 0;
};

}  // namespace amt
