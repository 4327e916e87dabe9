#include "demo/receive_stats.hh"

#include <boost/json.hpp>

namespace amt {

std::optional<std::uint64_t> parse_packets_received(std::string_view text) {
  boost::json::error_code error;
  const boost::json::value stats = boost::json::parse(text, error);
  const boost::json::value* received =
      !error && stats.is_object() ? stats.get_object().if_contains("received") : nullptr;
  if (received == nullptr || !received->is_number()) return std::nullopt;
  const auto packets = received->to_number<std::uint64_t>(error);
  if (error) return std::nullopt;
  return packets;
}

}  // namespace amt
