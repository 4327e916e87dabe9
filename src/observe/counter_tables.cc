#include "observe/counter_tables.hh"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iterator>

#include "base/counters.hh"
#include "gateway/gateway.hh"
#include "membership/pseudo_interface.hh"
#include "membership/querier.hh"
#include "observe/host_counters.hh"
#include "relay/relay_counters.hh"

namespace amt {
namespace {

template <typename E>
void append(CounterSection& section) {
  for (std::size_t i = 0; i < Counters<E>::kSize; ++i) section.counters.push_back(&counter_info(static_cast<E>(i)));
}

std::string_view family_name(CounterFamily family) {
  switch (family) {
    case CounterFamily::kMessages:
      return "messages_total";
    case CounterFamily::kDataPackets:
      return "data_packets_total";
    case CounterFamily::kDataBytes:
      return "data_bytes_total";
    case CounterFamily::kTunnelsEnded:
      return "tunnels_ended_total";
    case CounterFamily::kRejects:
      return "rejects_total";
    case CounterFamily::kDrops:
      return "drops_total";
    case CounterFamily::kOwn:
    case CounterFamily::kGauge:
      break;
  }
  return {};
}

std::string metric_of(const CounterSection& section, const CounterInfo& info) {
  const std::string prefix = section.name == "lan" || section.name == "host" ? "amt_gateway_downstream_"
                                                                             : fmt::format("amt_{}_", section.name);
  if (info.family == CounterFamily::kOwn) return fmt::format("{}{}_total", prefix, info.name);
  if (info.family == CounterFamily::kGauge) return fmt::format("{}{}", prefix, info.name);
  const std::string labels = !info.labels.empty() ? std::string(info.labels)
                                                  : fmt::format("reason=\"{}\"", info.family == CounterFamily::kRejects
                                                                                     ? without_reject(info.name)
                                                                                     : info.name);
  return fmt::format("{}{}{{{}}}", prefix, family_name(info.family), labels);
}

std::string_view kind_of(const CounterInfo& info) {
  if (info.family == CounterFamily::kRejects) return "reject";
  return info.family == CounterFamily::kDrops ? "drop" : "other";
}

boost::json::string_view text(std::string_view value) { return {value.data(), value.size()}; }

}  // namespace

std::vector<CounterSection> counter_sections() {
  CounterSection relay{"relay", "Of a relay"};
  append<RelayCounter>(relay);
  append<RelayHostCounter>(relay);
  append<RelayReject>(relay);
  CounterSection gateway{"gateway", "Of a gateway"};
  append<GatewayCounter>(gateway);
  append<GatewayHostCounter>(gateway);
  append<GatewayReject>(gateway);
  CounterSection host{"host", "Of a gateway's own interface"};
  append<HostJoinRefusal>(host);
  CounterSection lan{"lan", "Of a LAN behind a gateway (in the status with `igmp_` or `mld_` before the name)"};
  append<QuerierCounter>(lan);
  append<QuerierReject>(lan);
  return {relay, gateway, host, lan};
}

std::string counters_markdown() {
  std::string out =
      "# Counters\n\n"
      "What `amt status counters`, the page and `/metrics` count. Numbers grow from the start of the process. This "
      "file is\n"
      "written from the tables in the sources; a test compares them.\n";
  for (const CounterSection& section : counter_sections()) {
    fmt::format_to(std::back_inserter(out),
                   "\n## {}\n\n| counter | metric | counts | if it grows |\n|---|---|---|---|\n", section.title);
    for (const CounterInfo* const info : section.counters) {
      fmt::format_to(std::back_inserter(out), "| `{}` | `{}` | {} | {} |\n", info->name, metric_of(section, *info),
                     info->help, info->remedy);
    }
  }
  return out;
}

std::string counters_json() {
  boost::json::object out;
  for (const CounterSection& section : counter_sections()) {
    boost::json::object list;
    for (const CounterInfo* const info : section.counters) {
      list[text(info->name)] = boost::json::object{{"unit", text(info->unit)},
                                                   {"help", text(info->help)},
                                                   {"remedy", text(info->remedy)},
                                                   {"kind", text(kind_of(*info))}};
    }
    out[text(section.name)] = std::move(list);
  }
  return boost::json::serialize(out);
}

}  // namespace amt
