#pragma once
/// The tunnels and channels of a worker, a slice at a time. Each function runs on the worker's thread, where data waits
/// for it: about 0.1 ms.

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/relay/relay_worker.hh"
#include "observe/status.hh"
#include "observe/status_query.hh"

namespace amt {

/// Where a walk through a worker's tunnels stands; survives all changes of them.
struct TunnelCursor {
  std::uint32_t number = 0;
  /// In the middle of a tunnel with very many groups: the last one reported.
  struct Inside {
    Endpoint endpoint;
    std::optional<IpAddress> group;
  };
  std::optional<Inside> inside{};
};

/// One tunnel, or a part of one with very many groups.
struct TunnelPart {
  bool begins = true;
  bool ends = true;
  TunnelStatus tunnel{};  ///< of a part that does not begin: its groups alone
};

struct TunnelWanted {
  std::optional<Prefix> group{};
  std::optional<Prefix> address{};
  std::optional<Endpoint> after{};
  /// The tunnel at the cursor alone, if it is this one.
  std::optional<Endpoint> only{};
  bool with_groups = true;
};

struct TunnelSlice {
  TunnelCursor cursor{};
  bool has_more = true;
  std::vector<TunnelPart> parts{};
};

/// Goes on at `slice.cursor`; the parts are new.
void collect_tunnels(const RelayWorker& worker, const TunnelWanted& wanted, TunnelSlice& slice);

struct ChannelRow {
  ChannelStatus channel{};
  /// Another worker has reported it already.
  bool is_known = false;
};

struct ChannelSlice {
  ChannelCursor cursor{};
  bool has_more = true;
  std::vector<ChannelRow> rows{};
};

/// Goes on at `slice.cursor`; the rows are new.
void collect_channels(const RelayWorker& worker, const StatusQuery& query, ChannelSlice& slice);
/// Adds this worker's share of the same channels. `told_before`: it has reported its own already.
void add_channels(const RelayWorker& worker, bool told_before, ChannelSlice& slice);

}  // namespace amt
