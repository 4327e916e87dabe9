#include "demo/control_detail.hh"

#include <fmt/format.h>

#include <variant>

#include "membership/message.hh"

namespace amt {
namespace {

/// More would not fit in a line.
constexpr std::size_t kRecordsShown = 2;

std::string describe(const GroupRecord& record) {
  std::string sources;
  for (const IpAddress& source : record.sources) {
    if (!sources.empty()) sources += ", ";
    sources += source.to_string();
  }
  return fmt::format("{} {} {{{}}}", to_string(record.type), record.group.to_string(), sources);
}

std::string describe_group_message(Bytes octets) {
  const auto datagram = DatagramView::parse(octets);
  if (!datagram) return "";
  const auto message = parse_group_message(*datagram, {});
  if (!message) return "";
  const bool igmp = datagram->family() == Family::kIpv4;
  if (const auto* query = std::get_if<GroupQuery>(&*message)) {
    return fmt::format("{} general query, again within {} s", igmp ? "IGMPv3" : "MLDv2",
                       std::chrono::duration_cast<std::chrono::seconds>(query->query_interval).count());
  }
  const auto* report = std::get_if<GroupReport>(&*message);
  if (report == nullptr) return igmp ? "IGMP" : "MLD";
  std::string text = igmp ? "IGMPv3" : "MLDv2";
  for (std::size_t i = 0; i < report->records.size() && i < kRecordsShown; ++i) {
    text += (i == 0 ? " " : ", ") + describe(report->records[i]);
  }
  if (report->records.size() > kRecordsShown) text += fmt::format(", {} more", report->records.size() - kRecordsShown);
  return text;
}

}  // namespace

std::string describe_control(wire::MessageType type, Bytes message) {
  switch (type) {
    case wire::MessageType::kRelayAdvertisement:
      if (const auto parsed = wire::RelayAdvertisement::parse(message)) {
        return fmt::format("the relay is {}", parsed->relay.to_string());
      }
      break;
    case wire::MessageType::kRequest:
      if (const auto parsed = wire::Request::parse(message)) {
        return parsed->protocol == wire::Protocol::kIgmp ? "for IGMP" : "for MLD";
      }
      break;
    case wire::MessageType::kMembershipQuery:
      if (const auto parsed = wire::MembershipQuery::parse(message)) {
        std::string text = describe_group_message(parsed->datagram);
        if (parsed->gateway) text += fmt::format("; you are {}", parsed->gateway->endpoint.to_string());
        return text;
      }
      break;
    case wire::MessageType::kMembershipUpdate:
      if (const auto parsed = wire::MembershipUpdate::parse(message)) return describe_group_message(parsed->datagram);
      break;
    case wire::MessageType::kTeardown:
      if (const auto parsed = wire::Teardown::parse(message)) {
        return fmt::format("forget {}", parsed->gateway.endpoint.to_string());
      }
      break;
    case wire::MessageType::kRelayDiscovery:
    case wire::MessageType::kMulticastData:
      break;
  }
  return "";
}

}  // namespace amt
