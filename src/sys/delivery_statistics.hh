#pragma once
/// The kernel's counts of received multicast, from /proc/net: datagrams that came in, and datagrams that reached a
/// protocol.

#include <cstdint>
#include <optional>
#include <string>

namespace amt {

/// Since the start of the network namespace. IPv4's are those of the whole host, the kernel has none by interface.
struct DeliveryStatistics {
  std::uint64_t v4_received = 0;
  /// Multicast that was routed to this host.
  std::uint64_t v4_multicast = 0;
  /// Given to UDP or another protocol: behind the firewall's input rules.
  std::uint64_t v4_delivered = 0;
  /// Forwarded, or waiting as a fragment.
  std::uint64_t v4_elsewhere = 0;
  std::uint64_t v4_reverse_path_drops = 0;
  /// Of the interface.
  std::uint64_t v6_multicast = 0;
  std::uint64_t v6_delivered = 0;
};

/// Nothing: the kernel does not report it.
[[nodiscard]] std::optional<DeliveryStatistics> read_delivery_statistics(const std::string& interface);

/// Why datagrams that were written into the interface reached no program.
enum class DeliveryProblem : std::uint8_t {
  kNone,
  kReversePath,  ///< rp_filter dropped them
  kFirewall,     ///< an input rule dropped them
};
/// `written_v4`, `written_v6`: datagrams that were written between the two.
[[nodiscard]] DeliveryProblem judge_delivery(const DeliveryStatistics& before, const DeliveryStatistics& after,
                                             std::uint64_t written_v4, std::uint64_t written_v6);

}  // namespace amt
