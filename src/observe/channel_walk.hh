#pragma once
/// All channels of a relay, a slice at a time.

#include <functional>
#include <memory>
#include <vector>

#include "engine/relay/relay_engine.hh"
#include "observe/relay_slices.hh"
#include "observe/status_query.hh"

namespace amt {

/// Each channel once, with the sums of all workers. Lives on the engine's thread; the engine outlives it. A channel
/// whose tunnels move between workers meanwhile may come twice.
class ChannelWalk : public std::enable_shared_from_this<ChannelWalk> {
 public:
  /// Only `group` and `address` of the query count.
  ChannelWalk(RelayEngine& engine, StatusQuery query) : engine_(engine), query_(std::move(query)) {}

  /// Some rows, perhaps none; `has_more`: `next` is to be called again.
  using Deliver = std::function<void(std::vector<ChannelStatus> rows, bool has_more)>;
  /// Asks the workers and delivers later; never, if this object is destroyed first.
  void next(Deliver deliver);

 private:
  void ask(std::size_t worker, std::function<void(RelayWorker&)> visit, void (ChannelWalk::*then)());
  void join();
  void on_slice();
  void on_joined();
  void deliver();

  RelayEngine& engine_;
  StatusQuery query_;
  Deliver deliver_{};
  /// The worker that is asked for its own.
  std::size_t worker_ = 0;
  /// The worker that is asked for its share of the slice.
  std::size_t joined_ = 0;
  /// Shared with the worker that fills it.
  std::shared_ptr<ChannelSlice> slice_ = std::make_shared<ChannelSlice>();
};

/// The `max` channels with the most tunnels. `done` later; never, if the engine is shut down first.
void find_busiest_channels(RelayEngine& engine, std::size_t max,
                           std::function<void(std::vector<ChannelStatus> channels)> done);

}  // namespace amt
