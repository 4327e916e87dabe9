#pragma once
/// `--ipfix`: the data of each channel to each gateway, as flow records for a collector.

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/counters.hh"
#include "engine/relay/relay_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "observe/event_json.hh"
#include "observe/ipfix_message.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Makes flow records of a relay's events and sends them by UDP (RFC 7011 §10.3.1) from its event loop's thread.
/// Records that the collector or the network loses are lost: the sequence numbers show it to the collector. Made before
/// the engine, ends after it.
class FlowExporter {
 public:
  /// Error: the collector cannot be sent to from here.
  static SysResult<UniqueFd> connect(const Endpoint& collector);
  FlowExporter(EventLoop& loop, UniqueFd socket);
  FlowExporter(const FlowExporter&) = delete;
  FlowExporter& operator=(const FlowExporter&) = delete;

  /// Any thread: see `RelayEventSink`.
  void add(const std::vector<RelayEvent>& events, bool at_end);
  /// After the engine's shutdown: sends the remaining records.
  void finish() { send_waiting(); }

 private:
  void send_waiting();

  EventLoop& loop_;
  UniqueFd socket_;
  IpfixWriter writer_;
  std::mutex mutex_;
  std::vector<FlowRecord> waiting_;
  bool is_posted_ = false;
};

/// The part of a channel that no record has reported yet; nothing where there is none.
[[nodiscard]] std::optional<FlowRecord> flow_of(const RelayEvent& event, const WallClock& clock);

}  // namespace amt
