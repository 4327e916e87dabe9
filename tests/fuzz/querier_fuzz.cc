/// One real link: a starting state, then datagrams (written by us or arbitrary, checksums put right), timeouts, clock
/// jumps and changes of address. Limits hold, deadlines are true, the changes lead from one filter to the next, and
/// only the querier speaks, at a bounded rate.

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "fuzz_target.hh"
#include "membership/querier.hh"
#include "mended_checksum.hh"

namespace amt {
namespace {

constexpr std::size_t kGroupsMax = 4;
constexpr std::size_t kSourcesMax = 4;
constexpr int kOperationsMax = 300;
/// More than one input can cause: a record is asked about in two messages and a General Query may be due.
constexpr int kQueriesPerInputMax = 64;

class QuerierRun {
 public:
  explicit QuerierRun(ByteReader in) : in_(in), start_(fuzz::next_u8(in_)), querier_(options(start_), now_) {
    if ((start_ & 0x02) != 0) querier_.set_address(now_, router(2));
    if ((start_ & 0x04) != 0) receive(general_query(router(1)));
    if ((start_ & 0x08) != 0) report(RecordType::kAllowNewSources, 0x07, 0);
    if ((start_ & 0x10) != 0) report(RecordType::kChangeToExclude, 0x03, 1);
    if ((start_ & 0x20) != 0) report(RecordType::kChangeToExclude, 0, 2);
    if ((start_ & 0x40) != 0) report(RecordType::kChangeToInclude, 0, 2);
  }

  void run() {
    for (int i = 0; i < kOperationsMax && in_.has(1); ++i) {
      operate();
      settle();
    }
    querier_.clear(changes_);
    settle();
    AMT_ASSERT(known_.empty() && querier_.group_count() == 0);
  }

 private:
  static QuerierOptions options(std::uint8_t start) {
    QuerierOptions options;
    options.family = (start & 1) != 0 ? Family::kIpv6 : Family::kIpv4;
    options.robustness = (start & 0x80) != 0 ? 7 : 2;
    options.groups_max = kGroupsMax;
    options.sources_per_group_max = kSourcesMax;
    return options;
  }
  [[nodiscard]] bool is_v6() const { return (start_ & 1) != 0; }
  [[nodiscard]] IpAddress router(std::uint8_t n) const {
    return is_v6() ? *IpAddress::parse("fe80::" + std::to_string(n % 4)) : IpAddress::from_v4(0xc0000200U + n % 4);
  }
  /// ASM, SSM and refused groups.
  [[nodiscard]] IpAddress group(std::uint8_t n) const {
    static const std::array<const char*, 8> kV4{"239.1.1.1", "239.1.1.2", "239.1.1.3", "232.1.1.1",
                                                "239.1.1.4", "239.1.1.5", "224.0.0.5", "192.0.2.1"};
    static const std::array<const char*, 8> kV6{"ff1e::1", "ff1e::2", "ff1e::3", "ff3e::8000:1",
                                                "ff1e::4", "ff1e::5", "ff02::5", "2001:db8::1"};
    return *IpAddress::parse((is_v6() ? kV6 : kV4)[n % 8]);
  }
  [[nodiscard]] SourceList source_list(std::uint8_t bits) const {
    SourceList list;
    for (std::uint8_t n = 0; n < 8; ++n) {
      if ((bits >> n & 1) != 0) list.push_back(router(n));
    }
    return to_source_list(list);
  }
  [[nodiscard]] std::vector<std::byte> general_query(const IpAddress& from) const {
    GroupQuery query;
    query.group = IpAddress::unspecified(from.family());
    query.max_response_time = std::chrono::seconds(10);
    query.robustness = start_ & 7;
    query.query_interval = std::chrono::seconds(start_);
    return write_query(from, query);
  }

  void receive(Bytes datagram) {
    const auto result = querier_.handle_datagram(now_, datagram, changes_);
    if (!result) AMT_ASSERT(changes_.empty() && querier_.rejects()[result.error()] > 0);
  }
  void report(RecordType type, std::uint8_t source_bits, std::uint8_t group_number) {
    const std::vector<GroupRecord> records{{type, group(group_number), source_list(source_bits)}};
    receive(write_report(is_v6() ? *IpAddress::parse("fe80::99") : IpAddress::from_v4(0xc0000299U), records));
    settle();
  }
  void query(std::uint8_t from, std::uint8_t flags) {
    if ((flags & 0x80) != 0) return receive(general_query(router(from)));
    GroupQuery query;
    query.group = group(flags);
    if (!query.group.is_multicast()) return;
    query.sources = source_list(fuzz::next_u8(in_));
    query.max_response_time = std::chrono::milliseconds(100 * fuzz::next_u8(in_));
    query.suppress_router_processing = (flags & 0x40) != 0;
    query.robustness = flags >> 3 & 7;
    receive(write_query(router(from), query));
  }
  /// An older host's message, in the form that IGMPv1, IGMPv2 and MLDv1 share.
  void older_message(std::uint8_t kind, std::uint8_t group_number) {
    static const std::array<std::uint8_t, 4> kIgmp{0x12, 0x16, 0x17, 0x11};
    static const std::array<std::uint8_t, 4> kMld{131, 131, 132, 130};
    const bool leaves = kind % 4 == 2;
    HeaderFields header;
    header.source = router(kind);
    header.destination = leaves ? *IpAddress::parse(is_v6() ? "ff02::2" : "224.0.0.2") : group(group_number);
    header.protocol = is_v6() ? kProtocolIcmpv6 : kProtocolIgmp;
    header.router_alert = true;
    const std::size_t octets = is_v6() ? 24 : 8;
    std::vector<std::byte> out(header_octets(header) + octets);
    ByteWriter writer(out);
    write_header(writer, header, octets);
    writer.u8((is_v6() ? kMld : kIgmp)[kind % 4]);
    writer.u8(is_v6() ? 0 : kind);
    writer.zeros(is_v6() ? 6 : 2);
    writer.bytes(group(group_number).bytes());
    receive(fuzz::with_message_checksum(out));
  }

  void operate() {
    const std::uint8_t operation = fuzz::next_u8(in_);
    const std::uint8_t argument = fuzz::next_u8(in_);
    switch (operation % 8) {
      case 0:
        if (querier_.next_deadline() == kNoDeadline) break;
        now_ = std::max(now_, querier_.next_deadline());
        querier_.handle_timeout(now_, changes_);
        AMT_ASSERT(querier_.next_deadline() > now_);
        break;
      case 1:
        // A jump past deadlines that nobody served.
        now_ += std::chrono::seconds(argument) * ((operation & 0x80) != 0 ? 10 : 1);
        break;
      case 2:
        querier_.set_address(now_, argument % 4 == 0 ? std::nullopt : std::optional(router(argument)));
        break;
      case 3:
        query(argument, fuzz::next_u8(in_));
        break;
      case 4:
        older_message(static_cast<std::uint8_t>(operation >> 3), argument);
        break;
      case 5:
        receive(fuzz::with_message_checksum(fuzz::next_bytes(in_, argument)));
        break;
      default:
        report(static_cast<RecordType>((operation >> 3) % 6 + 1), fuzz::next_u8(in_), argument);
    }
  }

  /// Follows the changes, and compares with what the querier says.
  void settle() {
    for (const FilterChange& change : changes_) {
      const auto it = known_.find(change.group);
      AMT_ASSERT(change.before == (it == known_.end() ? SourceFilter{} : it->second));
      AMT_ASSERT(change.before != change.after);
      if (change.after.is_nothing()) {
        known_.erase(change.group);
      } else {
        known_[change.group] = change.after;
      }
    }
    changes_.clear();
    AMT_ASSERT(querier_.group_count() == known_.size() && known_.size() <= kGroupsMax);
    for (const auto& [address, filter] : known_) {
      AMT_ASSERT(querier_.filter(address) == filter && filter.sources.size() <= kSourcesMax);
      AMT_ASSERT(is_forwardable_group(address) && address.family() == (is_v6() ? Family::kIpv6 : Family::kIpv4));
    }
    for (int n = 0; const auto octets = querier_.poll_query(); ++n) {
      AMT_ASSERT(n < kQueriesPerInputMax && querier_.is_querier());
      const auto view = DatagramView::parse(*octets);
      AMT_ASSERT(view && view->source == *querier_.querier());
      const auto message = parse_group_message(*view, {.router_alert = true, .link_local_source = true});
      AMT_ASSERT(message && std::holds_alternative<GroupQuery>(*message));
    }
  }

  ByteReader in_;
  std::uint8_t start_;
  Instant now_{};
  std::vector<FilterChange> changes_;
  std::map<IpAddress, SourceFilter> known_;
  Querier querier_;
};

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::QuerierRun(amt::ByteReader(amt::fuzz::input(data, size))).run();
  return 0;
}
