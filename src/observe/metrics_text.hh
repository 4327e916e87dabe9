#pragma once
/// Metrics for Prometheus, from the same facts as the status.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "observe/status.hh"

namespace amt {

enum class MetricsFormat : std::uint8_t {
  kPrometheus,   ///< text format 0.0.4
  kOpenMetrics,  ///< 1.0.0
};
/// `accept`: the Accept field; OpenMetrics where it is named and not refused (q=0).
[[nodiscard]] MetricsFormat metrics_format(std::string_view accept);
[[nodiscard]] std::string content_type(MetricsFormat format);

/// Writes one family after the other into a string.
class MetricsText {
 public:
  enum class Type : std::uint8_t { kCounter, kGauge, kInfo };
  explicit MetricsText(MetricsFormat format) : format_(format) {}

  /// `name`: without `_total` or `_info`. Its samples follow.
  void begin(std::string_view name, Type type, std::string_view help);
  /// `labels`: as `label` makes them, with commas between; may be empty.
  void add(std::string_view labels, std::uint64_t value);
  /// The whole text.
  [[nodiscard]] std::string finish();

 private:
  MetricsFormat format_;
  std::string out_;
  /// Of the family that was begun.
  std::string sample_name_;
};
/// `name="value"`, escaped.
[[nodiscard]] std::string label(std::string_view name, std::string_view value);

/// How many channels have series of their own: those with the most tunnels. There is never a series for a tunnel.
inline constexpr std::size_t kMetricChannelsMax = 20;

/// `channels`: those with series of their own.
[[nodiscard]] std::string relay_metrics(const RelayStatus& status, std::span<const ChannelStatus> channels,
                                        MetricsFormat format);
[[nodiscard]] std::string gateway_metrics(const GatewayStatus& status, MetricsFormat format);

}  // namespace amt
