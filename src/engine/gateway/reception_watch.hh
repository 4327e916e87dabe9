#pragma once
/// Logs missing data and its reason for the gateway's operator: groups that do not come through the tunnel, and
/// datagrams that this host's kernel drops.

#include <optional>
#include <string>

#include "client/client.hh"
#include "engine/gateway/downstream.hh"
#include "engine/runtime/loop.hh"
#include "gateway/group_meter.hh"
#include "sys/delivery_statistics.hh"

namespace amt {

/// Looks every few seconds; a warning comes once a minute while its reason lasts. Lives on its loop's thread.
class ReceptionWatch {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(5);
  static constexpr Duration kWarningInterval = std::chrono::minutes(1);

  /// All three outlive this object. `own`: the gateway's interface.
  ReceptionWatch(Loop& loop, const GroupMeter& meter, const Client& client, const Downstream& own);
  void stop() { timer_.set(kNoDeadline); }

 private:
  void on_timer();
  void look_for_missing(Instant now);
  void look_at_delivery(Instant now);
  [[nodiscard]] std::string reason(const GroupMeter::Missing& missing) const;

  const GroupMeter& meter_;
  const Client& client_;
  const Downstream& own_;
  std::optional<Instant> missing_logged_;
  std::optional<Instant> drops_logged_;
  std::optional<DeliveryStatistics> delivery_;
  DownstreamInfo info_;
  Timer timer_;
};

}  // namespace amt
