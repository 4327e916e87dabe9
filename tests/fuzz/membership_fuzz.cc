/// IGMP and MLD: any datagram is parsed without harm, and a query or report that was parsed is written and parsed to
/// the same.

#include <variant>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "membership/message.hh"
#include "mended_checksum.hh"

namespace amt {
namespace {

constexpr std::size_t kDatagramOctetsMax = 65535;
/// An address takes 16 octets in memory and 4 in a report, a record of 8 octets its place in a growing vector.
constexpr fuzz::ParserBound kParseBound{256, 24};

template <typename Message>
Message reparsed(const std::vector<std::byte>& datagram) {
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  AMT_ASSERT(view && view->bytes.size() == datagram.size());
  const Result<GroupMessage, GroupMessageError> message = parse_group_message(*view, {.router_alert = true});
  AMT_ASSERT(message && std::holds_alternative<Message>(*message));
  return std::get<Message>(*message);
}

void check_query(const DatagramView& view, const GroupQuery& query) {
  // Only the latest version is written.
  if (query.version != (view.family() == Family::kIpv4 ? 3 : 2)) return;
  const GroupQuery again = reparsed<GroupQuery>(write_query(view.source, query));
  AMT_ASSERT(again.version == query.version && again.group == query.group && again.sources == query.sources);
  AMT_ASSERT(again.max_response_time == query.max_response_time && again.query_interval == query.query_interval);
  AMT_ASSERT(again.suppress_router_processing == query.suppress_router_processing);
  AMT_ASSERT(again.robustness == query.robustness);
}

void check_report(const DatagramView& view, const GroupReport& report) {
  std::size_t octets = report_overhead_octets(view.family());
  for (const GroupRecord& record : report.records) octets += record_octets(record);
  // Router Alert, which is always written, may be one header too many.
  if (octets > kDatagramOctetsMax) return;
  const std::vector<std::byte> datagram = write_report(view.source, report.records);
  AMT_ASSERT(datagram.size() == octets);
  AMT_ASSERT(reparsed<GroupReport>(datagram).records == report.records);
}

void check(Bytes octets, const HeaderRules& rules) {
  const Result<DatagramView, IpError> view = DatagramView::parse(octets);
  if (!view) return;
  const Result<GroupMessage, GroupMessageError> message =
      fuzz::within(kParseBound, octets.size(), [&] { return parse_group_message(*view, rules); });
  if (!message) return;
  AMT_ASSERT(view->hop_limit == 1 && !view->is_fragment());
  if (const auto* const query = std::get_if<GroupQuery>(&*message)) check_query(*view, *query);
  if (const auto* const report = std::get_if<GroupReport>(&*message)) check_report(*view, *report);
}

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amt::Bytes octets = amt::fuzz::input(data, size);
  const std::vector<std::byte> mended = amt::fuzz::with_message_checksum(octets);
  for (const amt::HeaderRules& rules : {amt::HeaderRules{}, amt::HeaderRules{true, true}}) {
    amt::check(octets, rules);
    amt::check(mended, rules);
  }
  return 0;
}
