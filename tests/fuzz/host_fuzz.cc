/// The host side of IGMP and MLD: filters, queries and time in any order. What it reports, parsed and given to a router
/// side, leads that to the same filters; deadlines are true, reports keep to their size.
///
/// The first octet picks family, robustness and a starting state, the rest are operations.

#include <array>
#include <map>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "membership/host.hh"
#include "membership/router.hh"

namespace amt {
namespace {

constexpr int kOperationsMax = 32;
constexpr int kStepsMax = 1000;
constexpr std::size_t kSources = 5;
/// Four groups of five sources each, and what is due of them.
constexpr std::size_t kHostOctetsMax = 32 * 1024;

struct Addresses {
  /// Two of any source, one of one source, one of link scope.
  std::array<IpAddress, 4> groups;
  std::array<IpAddress, kSources> sources;
};
Addresses parsed(const std::array<const char*, 4>& groups, const std::array<const char*, kSources>& sources) {
  Addresses out;
  for (std::size_t i = 0; i < groups.size(); ++i) out.groups[i] = *IpAddress::parse(groups[i]);
  for (std::size_t i = 0; i < sources.size(); ++i) out.sources[i] = *IpAddress::parse(sources[i]);
  return out;
}
const Addresses kIpv4 = parsed({"239.1.1.1", "239.1.1.2", "232.1.1.1", "224.0.0.9"},
                               {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"});
const Addresses kIpv6 = parsed({"ff1e::1", "ff1e::2", "ff3e::8000:1", "ff02::9"},
                               {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "2001:db8::5"});

class HostRun {
 public:
  explicit HostRun(ByteReader in)
      : in_(in), start_(fuzz::next_u8(in_)), host_(options(start_), random_), router_(router_options_) {
    if ((start_ & 0x08) != 0) set_filter(0, 0x80 | 0x03);
    if ((start_ & 0x10) != 0) set_filter(2, 0x07);
    if ((start_ & 0x20) != 0) discard();
    drain();
  }

  void run() {
    for (int i = 0; i < kOperationsMax && in_.has(1); ++i) {
      operate();
      drain();
    }
    if (is_muted_) query();
    for (int steps = 0; host_.next_deadline() != kNoDeadline; ++steps) {
      AMT_ASSERT(steps < kStepsMax);
      timeout();
    }
    compare();
  }

 private:
  static HostOptions options(std::uint8_t start) {
    HostOptions out;
    out.family = (start & 1) == 0 ? Family::kIpv4 : Family::kIpv6;
    // Small, so that lists are split over reports; one EXCLUDE list is never longer than a record.
    out.report_octets_max = out.family == Family::kIpv4 ? 60 : 156;
    out.robustness = static_cast<std::uint8_t>((start >> 1) % 3 + 1);
    return out;
  }
  [[nodiscard]] const Addresses& addresses() const { return (start_ & 1) == 0 ? kIpv4 : kIpv6; }
  [[nodiscard]] const IpAddress& group(unsigned number) const { return addresses().groups[number % 4]; }

  void operate() {
    const std::uint8_t operation = fuzz::next_u8(in_);
    switch (operation % 8) {
      case 0:
      case 1:
      case 2:
        set_filter(operation >> 3, fuzz::next_u8(in_));
        break;
      case 3:
        query(static_cast<std::uint8_t>(operation >> 5), std::chrono::milliseconds(100) * fuzz::next_u8(in_));
        break;
      case 4:
        specific_query(operation >> 3, fuzz::next_u8(in_));
        break;
      case 5:
        now_ += std::chrono::milliseconds(10) * fuzz::next_u16(in_);
        host_.handle_timeout(now_);
        break;
      case 6:
        if (host_.next_deadline() != kNoDeadline) timeout();
        break;
      case 7:
        if ((operation >> 3) % 4 == 0) discard();
        break;
    }
  }

  void set_filter(unsigned number, unsigned bits) {
    SourceFilter filter;
    filter.mode = (bits & 0x80) != 0 ? FilterMode::kExclude : FilterMode::kInclude;
    for (std::size_t i = 0; i < kSources; ++i) {
      if ((bits >> i & 1) != 0) filter.sources.push_back(addresses().sources[i]);
    }
    // RFC 3376 §4.2.16: an EXCLUDE list that one report cannot hold is cut; more is forwarded than was asked for.
    if (filter.mode == FilterMode::kExclude && filter.sources.size() > 3) filter.sources.resize(3);
    const bool ssm = number % 4 == 2;
    const bool link_scope = number % 4 == 3;
    const bool taken = host_.set_filter(now_, group(number), filter);
    AMT_ASSERT(taken == !(link_scope || (ssm && filter.mode == FilterMode::kExclude)));
    if (!taken) return;
    wanted_.erase(group(number));
    if (!filter.is_nothing()) wanted_[group(number)] = filter;
  }
  void query(std::uint8_t robustness = 2, Duration delay_max = Duration::zero()) {
    host_.handle_general_query(now_, robustness, delay_max);
    is_muted_ = false;
    drain();
  }
  void specific_query(unsigned number, unsigned bits) {
    GroupQuery query;
    query.version = (start_ & 1) == 0 ? 3 : 2;
    query.group = group(number);
    query.max_response_time = std::chrono::seconds(1);
    for (std::size_t i = 0; i < kSources; ++i) {
      if ((bits >> i & 1) != 0) query.sources.push_back(addresses().sources[i]);
    }
    host_.handle_specific_query(now_, query);
  }
  /// The router side is another from now on, that knows nothing.
  void discard() {
    host_.discard_pending();
    is_muted_ = true;
    std::vector<FilterChange> changes;
    router_.clear(changes);
    AMT_ASSERT(host_.next_deadline() == kNoDeadline);
  }
  void timeout() {
    now_ = std::max(now_, host_.next_deadline());
    host_.handle_timeout(now_);
    drain();
    AMT_ASSERT(host_.next_deadline() > now_);
  }

  void drain() {
    const IpAddress from = IpAddress::unspecified((start_ & 1) == 0 ? Family::kIpv4 : Family::kIpv6);
    for (int reports = 0; const auto records = host_.poll_report(); ++reports) {
      AMT_ASSERT(reports < kStepsMax && !is_muted_ && !records->empty());
      const std::vector<std::byte> octets = write_report(from, *records);
      AMT_ASSERT(octets.size() <= options(start_).report_octets_max);
      const Result<GroupMessage, GroupMessageError> message =
          parse_group_message(DatagramView::parse(octets).value(), {.router_alert = true});
      AMT_ASSERT(message && std::get<GroupReport>(*message).records == *records);
      std::vector<FilterChange> changes;
      const RouterRejects rejects = router_.handle_report(now_, std::get<GroupReport>(*message), changes);
      AMT_ASSERT(rejects.exclude_of_ssm_group == 0 && rejects.link_scope_group == 0 && rejects.not_multicast == 0);
    }
    std::size_t groups = 0;
    host_.for_each_group([&](const IpAddress& address, const SourceFilter& filter) {
      const auto it = wanted_.find(address);
      AMT_ASSERT(it != wanted_.end() && it->second == filter);
      ++groups;
    });
    AMT_ASSERT(groups == wanted_.size() && host_.empty() == wanted_.empty());
    AMT_ASSERT(memory_.held() <= kHostOctetsMax);
  }
  /// All is reported that was to be.
  void compare() {
    AMT_ASSERT(router_.group_count() == wanted_.size());
    for (const auto& [address, filter] : wanted_) AMT_ASSERT(router_.filter(address) == filter);
  }

  /// First: it counts from before the machines are there, and what the harness itself holds, too.
  fuzz::Allocations memory_;
  ByteReader in_;
  std::uint8_t start_;
  SeededRandom random_{1};
  RouterOptions router_options_ = [] {
    RouterOptions out;
    // What nobody refreshes is kept: nobody asks but the input.
    out.query_interval = std::chrono::hours(1000);
    return out;
  }();
  HostMachine host_;
  RouterState router_;
  Instant now_{std::chrono::hours(1)};
  bool is_muted_ = false;
  std::map<IpAddress, SourceFilter> wanted_;
};

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::HostRun(amt::ByteReader(amt::fuzz::input(data, size))).run();
  return 0;
}
