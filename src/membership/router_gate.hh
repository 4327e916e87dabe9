#pragma once
/// Who is asked before a RouterState takes on more.

#include <cstddef>

#include "amt/ip_address.hh"

namespace amt {

/// Decides for one call of a RouterState; it counts what it refuses. A record of a message is taken as far as it fits:
/// what is there goes on being updated (R-5.3.3.8-b).
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
  /// Those that ended, or were taken for what was refused afterwards.
  virtual void release_memberships(std::size_t count) = 0;
  /// Whether (S,G) may be included that was not, or, with a null source, any source of a group be wanted.
  [[nodiscard]] virtual bool allows_channel(const IpAddress* source, const IpAddress& group) = 0;
};

}  // namespace amt
