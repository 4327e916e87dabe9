#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "discovery/relay_selection.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

/// A gateway whose sources, records, relays and events are drawn by chance, and what must hold after each of them.
class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed), selection_(options(seed), random_) {
    std::vector<RelayOption> anycast{option(ip("192.52.193.1"), RelayOrigin::kAnycast)};
    selection_.set_defaults(now_, anycast);
    drain();
  }

  void act() {
    switch (random_.below(8)) {
      case 0:
        join();
        break;
      case 1:
        selection_.handle_records(now_, source(), records());
        break;
      case 2:
      case 3:
        if (!probes_.empty()) finish_probe(random_.below(3) == 0);
        break;
      case 4:
        if (!tunnels_.empty()) {
          selection_.handle_tunnel(now_, tunnel(), static_cast<TunnelEvent>(random_.below(6)),
                                   random_.below(3) == 0 ? WantedSource{} : source());
        }
        break;
      case 5:
        if (!tunnels_.empty()) selection_.handle_traffic(now_, tunnel(), source());
        break;
      case 6:
        selection_.set_defaults(now_, {option(ip("192.52.193.1"), RelayOrigin::kAnycast)});
        break;
      default:
        pass(random_.between(milliseconds(1), seconds(random_.below(10) == 0 ? 700 : 5)));
    }
    drain();
    check_each_is_wanted_where_it_should();
  }

  /// Every look-up and every attempt succeeds from now on.
  void calm() {
    for (int i = 0; i < 400; ++i) {
      for (const IpAddress& source : std::exchange(lookups_, {})) {
        SourceRecords good;
        good.options = {option(relays()[0], RelayOrigin::kDriad)};
        good.lifetime = std::chrono::hours(20);
        selection_.handle_records(now_, source, good);
        drain();
      }
      while (!probes_.empty()) {
        finish_probe(true);
        drain();
      }
      for (const auto& [number, told] : tunnels_) {
        for (const IpAddress& source : sources()) selection_.handle_traffic(now_, number, source);
      }
      drain();
      pass(seconds(10));
    }
  }
  void check_all_served() const {
    for (const auto& [group, filter] : wanted_) {
      if (filter.mode == FilterMode::kExclude) {
        EXPECT_EQ(tunnels_that_want(group, std::nullopt), 1U);
        continue;
      }
      for (const IpAddress& source : filter.sources) EXPECT_EQ(tunnels_that_want(group, source), 1U);
    }
    EXPECT_TRUE(selection_.problem().empty()) << selection_.problem();
  }
  void leave_all() {
    for (const IpAddress& group : groups()) selection_.set_membership(now_, group, SourceFilter{});
    wanted_.clear();
    drain();
    pass(seconds(60));
    EXPECT_TRUE(tunnels_.empty());
    EXPECT_TRUE(probes_.empty());
    EXPECT_EQ(selection_.next_deadline(), kNoDeadline);
  }

  /// Of one relay at a time, of two for as long as a move lasts; what nobody wants, of none.
  void check_each_is_wanted_where_it_should() {
    for (const IpAddress& group : groups()) {
      const auto wanted = wanted_.find(group);
      const bool takes_any = wanted != wanted_.end() && wanted->second.mode == FilterMode::kExclude;
      EXPECT_LE(tunnels_that_want(group, std::nullopt), takes_any ? 2U : 0U);
      for (const IpAddress& source : sources()) {
        const bool named =
            wanted != wanted_.end() && wanted->second.mode == FilterMode::kInclude && wanted->second.accepts(source);
        const std::size_t tunnels = tunnels_that_want(group, source);
        EXPECT_LE(tunnels, named ? 2U : 0U);
        const auto since = twice_since_.try_emplace({group, source}, now_).first;
        if (tunnels < 2) since->second = now_;
        EXPECT_LE(now_ - since->second, kMoveMax) << "wanted of two relays for ever";
      }
    }
  }

 private:
  /// A move may follow a move before anybody looks.
  static constexpr Duration kMoveMax = 20 * RelaySelection::kOverlapMax;

  static RelaySearchOptions options(std::uint64_t seed) {
    RelaySearchOptions options;
    options.order = {RelayOrigin::kDriad, RelayOrigin::kAnycast};
    if (seed % 3 == 0) std::swap(options.order[0], options.order[1]);
    return options;
  }
  static RelayOption option(const IpAddress& address, RelayOrigin origin) {
    RelayOption option;
    option.destination = {address, ip("10.0.0.1")};
    option.origin = origin;
    return option;
  }
  static std::array<IpAddress, 3> relays() { return {ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3")}; }
  static std::array<IpAddress, 3> sources() { return {ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.3")}; }
  static std::array<IpAddress, 2> groups() { return {ip("239.1.1.1"), ip("239.1.1.2")}; }

  IpAddress source() { return sources().at(random_.below(3)); }
  TunnelNumber tunnel() {
    return std::next(tunnels_.begin(), static_cast<std::ptrdiff_t>(random_.below(tunnels_.size())))->first;
  }

  void join() {
    SourceFilter filter;
    if (random_.below(4) == 0) filter.mode = FilterMode::kExclude;
    for (const IpAddress& source : sources()) {
      if (random_.below(2) == 0) filter.sources.push_back(source);
    }
    const IpAddress group = groups().at(random_.below(2));
    wanted_[group] = filter;
    selection_.set_membership(now_, group, filter);
  }
  SourceRecords records() {
    SourceRecords records;
    records.failed = random_.below(4) == 0;
    records.no_relay = !records.failed && random_.below(6) == 0;
    records.lifetime = seconds(random_.below(600));
    if (records.failed || records.no_relay) return records;
    for (const IpAddress& relay : relays()) {
      if (random_.below(2) == 0) records.options.push_back(option(relay, RelayOrigin::kDriad));
    }
    return records;
  }
  void finish_probe(bool connects) {
    const auto probe = std::next(probes_.begin(), static_cast<std::ptrdiff_t>(random_.below(probes_.size())));
    const IpAddress target = *probe;
    probes_.erase(probe);
    ProbeOutcome outcome;
    outcome.kind = random_.below(4) == 0 ? ProbeOutcome::Kind::kLimited : ProbeOutcome::Kind::kFailed;
    // What anycast leads to may be one of the others.
    if (connects) outcome = {ProbeOutcome::Kind::kConnected, {relays()[target == relays()[1] ? 1 : 0], 2268}, {}, {}};
    selection_.handle_probe(now_, target, outcome);
  }
  void pass(Duration duration) {
    const Instant end = now_ + duration;
    drain();
    for (int i = 0; selection_.next_deadline() <= end; ++i) {
      ASSERT_LT(i, 20'000) << "deadlines without end";
      ASSERT_GE(selection_.next_deadline(), now_) << "a deadline in the past";
      now_ = selection_.next_deadline();
      selection_.handle_timeout(now_);
      drain();
      ASSERT_GT(selection_.next_deadline(), now_) << "a deadline that is due stays due";
    }
    now_ = end;
  }
  void drain() {
    while (const std::optional<SelectionStep> step = selection_.poll_step()) {
      if (const auto* ask = std::get_if<LookUpSource>(&*step)) lookups_.insert(ask->source);
      if (const auto* probe = std::get_if<StartProbe>(&*step)) {
        EXPECT_TRUE(probes_.insert(probe->option.destination.address).second) << "asked twice at once";
      }
      if (const auto* stop = std::get_if<StopProbe>(&*step)) {
        EXPECT_EQ(probes_.erase(stop->target), 1U) << "an attempt that did not run was stopped";
      }
      if (const auto* open = std::get_if<OpenTunnel>(&*step)) {
        EXPECT_TRUE(tunnels_.try_emplace(open->tunnel).second);
      }
      if (const auto* filter = std::get_if<TunnelFilter>(&*step)) {
        const auto told = tunnels_.find(filter->tunnel);
        ASSERT_TRUE(told != tunnels_.end()) << "told to a tunnel that is not open";
        told->second[filter->group] = filter->filter;
      }
      if (const auto* close = std::get_if<CloseTunnel>(&*step)) {
        for (const auto& [group, filter] : tunnels_[close->tunnel]) {
          EXPECT_TRUE(filter.is_nothing()) << "a tunnel was closed that is still wanted";
        }
        tunnels_.erase(close->tunnel);
      }
    }
  }
  [[nodiscard]] std::size_t tunnels_that_want(const IpAddress& group, const WantedSource& source) const {
    std::size_t count = 0;
    for (const auto& [number, told] : tunnels_) {
      const auto filter = told.find(group);
      if (filter == told.end()) continue;
      const bool excludes = filter->second.mode == FilterMode::kExclude;
      if (source ? !excludes && filter->second.accepts(*source) : excludes) ++count;
    }
    return count;
  }

  SeededRandom random_;
  Instant now_ = Instant() + std::chrono::hours(1);
  RelaySelection selection_;
  std::map<IpAddress, SourceFilter> wanted_;
  std::map<std::pair<IpAddress, IpAddress>, Instant> twice_since_;
  std::map<TunnelNumber, std::map<IpAddress, SourceFilter>> tunnels_;
  std::set<IpAddress> probes_;
  std::set<IpAddress> lookups_;
};

TEST(SelectionHistory, WhateverHappensAllIsServedInTheEndAndAllIsLeftAfterwards) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int i = 0; i < 150; ++i) history.act();
    history.calm();
    history.check_all_served();
    history.leave_all();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace amt
