#pragma once
/// From a channel to the tunnels that want it (RFC 7450 §5.3.3.4, "forwarding state"; CONFORMANCE R-5.3.3.4-m,n).

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "amt/channel.hh"
#include "membership/source_filter.hh"

namespace amt {

/// Index of a tunnel in its relay's table.
enum class TunnelId : std::uint32_t {};

/// The tunnels that a packet of one (S,G) goes to: all of `include`, and all of `any` that are not in `blocked`.
/// Valid until the table changes.
struct ReplicationTargets {
  std::span<const TunnelId> include;
  std::span<const TunnelId> any;
  /// Ascending; a subset of `any`.
  std::span<const TunnelId> blocked;

  [[nodiscard]] bool empty() const { return include.empty() && any.size() == blocked.size(); }
  template <typename F>
  void for_each(F&& f) const;
};

/// Looked up once a packet: two hash probes, whatever the number of channels and tunnels. A change costs what changes
/// (removal by swap with the last; no scan of other tunnels). Owned by one worker, not thread-safe.
class ReplicationTable {
 public:
  ReplicationTable();
  ~ReplicationTable();

  void apply(TunnelId tunnel, const FilterChange& change);
  [[nodiscard]] ReplicationTargets find(const IpAddress& source, const IpAddress& group) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <typename F>
void ReplicationTargets::for_each(F&& f) const {
  for (const TunnelId id : include) f(id);
  if (blocked.empty()) {
    for (const TunnelId id : any) f(id);
    return;
  }
  for (const TunnelId id : any) {
    bool is_blocked = false;
    for (std::size_t low = 0, high = blocked.size(); low < high;) {
      const std::size_t middle = (low + high) / 2;
      if (blocked[middle] == id) {
        is_blocked = true;
        break;
      }
      if (blocked[middle] < id) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (!is_blocked) f(id);
  }
}

}  // namespace amt
