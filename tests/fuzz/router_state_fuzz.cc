/// The router side of IGMP and MLD: a starting state, then reports, older messages, timeouts and clock jumps. Limits
/// hold, deadlines are true, and the changes lead from one filter to the next.

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "membership/router.hh"

namespace amt {
namespace {

constexpr std::size_t kGroupsMax = 5;
constexpr std::size_t kSourcesMax = 4;
constexpr int kOperationsMax = 64;
/// Five groups of four sources each, and the changes not yet taken, hold no more, whatever is reported.
constexpr std::size_t kStateOctetsMax = 16 * 1024;

/// ASM, SSM, IPv6 and refused groups.
const std::array<IpAddress, 10> kGroups = [] {
  constexpr std::array kTexts{"239.1.1.1",    "239.1.1.2", "239.1.1.3", "239.1.1.4", "232.1.1.1",
                              "ff3e::8000:1", "ff1e::1",   "224.0.0.5", "192.0.2.1", "232.0.0.0"};
  std::array<IpAddress, 10> groups;
  std::transform(kTexts.begin(), kTexts.end(), groups.begin(),
                 [](const char* text) { return *IpAddress::parse(text); });
  return groups;
}();

/// A relay's admission in small: room for so many memberships and channels.
class CountingGate final : public RouterGate {
 public:
  [[nodiscard]] std::size_t held() const { return held_; }

  bool allows_group(const IpAddress& group) override { return group != kGroups[3]; }
  std::size_t take_memberships(std::size_t wanted) override {
    const std::size_t taken = std::min(wanted, kMembershipsMax - held_);
    held_ += taken;
    return taken;
  }
  void release_memberships(std::size_t count) override {
    AMT_ASSERT(held_ >= count);
    held_ -= count;
  }
  bool allows_channel(const IpAddress* source, const IpAddress& group) override {
    return source != nullptr ? *source != kRefusedSource : group != kGroups[2];
  }
  void clear() { held_ = 0; }

  static constexpr std::size_t kMembershipsMax = 7;
  inline static const IpAddress kRefusedSource = IpAddress::from_v4(0x0a000002U);

 private:
  std::size_t held_ = 0;
};

class RouterRun {
 public:
  explicit RouterRun(ByteReader in) : in_(in), state_(options_) {
    const std::uint8_t start = fuzz::next_u8(in_);
    options_.single_reporter = (start & 1) != 0;
    options_.robustness = static_cast<std::uint8_t>((start >> 1) % 4 + 1);
    options_.groups_max = kGroupsMax;
    options_.sources_per_group_max = kSourcesMax;
    if ((start & 0x10) != 0) report(RecordType::kAllowNewSources, 0x0f, 0);
    if ((start & 0x20) != 0) report(RecordType::kChangeToExclude, 0x03, 1);
    if ((start & 0x40) != 0) (void)state_.handle_older_report(now_, {1, group(1)}, changes_, gate());
    if ((start & 0x80) != 0) (void)state_.handle_older_report(now_, {2, group(2)}, changes_, gate());
    settle();
  }

  void run() {
    for (int i = 0; i < kOperationsMax && in_.has(1); ++i) {
      operate();
      settle();
    }
    state_.clear(changes_);
    gate_.clear();
    settle();
    AMT_ASSERT(known_.empty() && state_.empty() && state_.next_deadline() == kNoDeadline);
  }

 private:
  /// Tunnels have one, LANs none.
  CountingGate* gate() { return options_.single_reporter ? &gate_ : nullptr; }
  static const IpAddress& group(std::uint8_t n) { return kGroups[n % kGroups.size()]; }

  void report(RecordType type, std::uint8_t source_bits, std::uint8_t group_number) {
    GroupReport report;
    add_record(report, type, source_bits, group_number);
    (void)state_.handle_report(now_, report, changes_, gate());
  }
  static void add_record(GroupReport& report, RecordType type, std::uint8_t source_bits, std::uint8_t group_number) {
    GroupRecord record{type, group(group_number), {}};
    for (std::uint32_t n = 0; n < 8; ++n) {
      if ((source_bits >> n & 1) != 0) record.sources.push_back(IpAddress::from_v4(0x0a000000U + n));
    }
    report.records.push_back(std::move(record));
  }

  void operate() {
    const std::uint8_t operation = fuzz::next_u8(in_);
    const std::uint8_t group_number = fuzz::next_u8(in_);
    switch (operation % 8) {
      case 0:
        if (state_.next_deadline() == kNoDeadline) break;
        now_ = std::max(now_, state_.next_deadline());
        state_.handle_timeout(now_, changes_, gate());
        AMT_ASSERT(state_.next_deadline() > now_);
        break;
      case 1:
        // A jump past deadlines that nobody served.
        now_ += std::chrono::seconds(fuzz::next_u16(in_));
        break;
      case 2:
        state_.handle_timeout(now_, changes_, gate());
        AMT_ASSERT(state_.next_deadline() > now_);
        break;
      case 3:
        (void)state_.handle_older_report(now_, {static_cast<std::uint8_t>((operation >> 7) + 1), group(group_number)},
                                         changes_, gate());
        break;
      case 4:
        (void)state_.handle_leave(now_, {group(group_number)}, changes_, gate());
        break;
      default: {
        GroupReport several;
        add_record(several, type_of(operation), fuzz::next_u8(in_), group_number);
        for (int n = operation >> 6; n > 0; --n) {
          const std::uint8_t other = fuzz::next_u8(in_);
          add_record(several, type_of(other), fuzz::next_u8(in_), static_cast<std::uint8_t>(other >> 4));
        }
        const std::size_t before = changes_.size();
        (void)state_.handle_report(now_, several, changes_, gate());
        AMT_ASSERT(changes_.size() - before <= several.records.size());
      }
    }
  }
  static RecordType type_of(std::uint8_t octet) { return static_cast<RecordType>((octet >> 3) % 6 + 1); }

  /// Follows the changes, and compares with what the state says.
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
    AMT_ASSERT(state_.group_count() == known_.size() && known_.size() <= kGroupsMax);
    for (const auto& [address, filter] : known_) {
      AMT_ASSERT(state_.filter(address) == filter);
      AMT_ASSERT(filter.sources.size() <= kSourcesMax);
      AMT_ASSERT(is_forwardable_group(address));
      AMT_ASSERT(filter.mode == FilterMode::kInclude || !options_.ssm.contains(address));
    }
    if (gate() != nullptr) AMT_ASSERT(gate_.held() == state_.membership_count());
    AMT_ASSERT(state_.empty() == (state_.next_deadline() == kNoDeadline));
    for (int n = 0; const auto query = state_.poll_query(); ++n) {
      AMT_ASSERT(!options_.single_reporter && n < 1000);
      AMT_ASSERT(query->sources.size() <= kSourcesMax);
    }
    AMT_ASSERT(memory_.held() <= kStateOctetsMax);
  }

  /// First: it counts from before the state is there, and what the harness itself holds, too.
  fuzz::Allocations memory_;
  ByteReader in_;
  RouterOptions options_;
  CountingGate gate_;
  RouterState state_;
  Instant now_{};
  std::vector<FilterChange> changes_;
  std::map<IpAddress, SourceFilter> known_;
};

}  // namespace
}  // namespace amt

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::RouterRun(amt::ByteReader(amt::fuzz::input(data, size))).run();
  return 0;
}
