#include "sys/delivery_statistics.hh"

#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace amt {
namespace {

/// With fewer no warning is given: some may have no listener, or wait for their other fragments.
constexpr std::uint64_t kWrittenMin = 20;
constexpr std::uint64_t kDroppedMin = 5;

using Values = std::map<std::string, std::uint64_t, std::less<>>;

/// Pairs of lines: `NAME: KEY KEY ...` and `NAME: VALUE VALUE ...`. Keys become `NAME.KEY`.
void read_pairs(const char* path, Values& out) {
  std::ifstream file(path);
  std::string keys;
  std::string values;
  while (std::getline(file, keys) && std::getline(file, values)) {
    std::istringstream key_stream(keys);
    std::istringstream value_stream(values);
    std::string name;
    std::string ignored;
    key_stream >> name;
    value_stream >> ignored;
    if (!name.empty()) name.back() = '.';
    std::string key;
    std::int64_t value = 0;
    while (key_stream >> key && value_stream >> value) out[name + key] = static_cast<std::uint64_t>(value);
  }
}

/// Lines `KEY VALUE`.
void read_lines(const std::string& path, Values& out) {
  std::ifstream file(path);
  std::string key;
  std::uint64_t value = 0;
  while (file >> key >> value) out[key] = value;
}

std::uint64_t value_of(const Values& values, std::string_view key) {
  const auto found = values.find(key);
  return found == values.end() ? 0 : found->second;
}

std::uint64_t grown(std::uint64_t before, std::uint64_t after) { return after > before ? after - before : 0; }

}  // namespace

std::optional<DeliveryStatistics> read_delivery_statistics(const std::string& interface) {
  Values values;
  read_pairs("/proc/net/snmp", values);
  read_pairs("/proc/net/netstat", values);
  if (!values.contains("Ip.InDelivers") || !values.contains("IpExt.InMcastPkts")) return std::nullopt;
  read_lines("/proc/net/dev_snmp6/" + interface, values);
  DeliveryStatistics out;
  out.v4_received = value_of(values, "Ip.InReceives");
  out.v4_multicast = value_of(values, "IpExt.InMcastPkts");
  out.v4_delivered = value_of(values, "Ip.InDelivers");
  out.v4_elsewhere = value_of(values, "Ip.ForwDatagrams") + value_of(values, "Ip.ReasmReqds");
  out.v4_reverse_path_drops = value_of(values, "TcpExt.IPReversePathFilter");
  out.v6_multicast = value_of(values, "Ip6InMcastPkts");
  out.v6_delivered = value_of(values, "Ip6InDelivers") + value_of(values, "Ip6ReasmReqds");
  return out;
}

DeliveryProblem judge_delivery(const DeliveryStatistics& before, const DeliveryStatistics& after,
                               std::uint64_t written_v4, std::uint64_t written_v6) {
  if (written_v4 >= kWrittenMin) {
    if (grown(before.v4_reverse_path_drops, after.v4_reverse_path_drops) >= kDroppedMin) {
      return DeliveryProblem::kReversePath;
    }
    // The kernel counts merged datagrams as one; so only its own figures are compared.
    const std::uint64_t multicast = grown(before.v4_multicast, after.v4_multicast);
    const std::uint64_t accounted =
        grown(before.v4_delivered, after.v4_delivered) + grown(before.v4_elsewhere, after.v4_elsewhere);
    const std::uint64_t lost = grown(accounted, grown(before.v4_received, after.v4_received));
    if (lost >= kDroppedMin && 2 * lost >= multicast) return DeliveryProblem::kFirewall;
  }
  if (written_v6 >= kWrittenMin) {
    const std::uint64_t multicast = grown(before.v6_multicast, after.v6_multicast);
    const std::uint64_t lost = grown(grown(before.v6_delivered, after.v6_delivered), multicast);
    if (lost >= kDroppedMin && 2 * lost >= multicast) return DeliveryProblem::kFirewall;
  }
  return DeliveryProblem::kNone;
}

}  // namespace amt
