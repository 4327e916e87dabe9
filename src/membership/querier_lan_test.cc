/// A whole link: hosts of every version (the newer ones are our own host side) and several routers, of which some fail
/// and come back. Nobody who listens is ever cut off, and in the end every router knows what is wanted.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>

#include "base/random.hh"
#include "membership/host.hh"
#include "membership/querier_test_support.hh"

namespace amt {
namespace {

using namespace querier_test;

constexpr Duration kQueryInterval = 30s;
constexpr Duration kResponseInterval = 10s;
constexpr std::uint32_t kSources = 4;

/// What a link of one family looks like.
struct Names {
  Family family;
  std::array<IpAddress, 3> groups;  ///< the last one is SSM
  std::array<IpAddress, 3> routers;
  IpAddress host;
};
const Names kNames4{Family::kIpv4,
                    {a("239.1.1.1"), a("239.1.1.2"), a("232.1.1.1")},
                    {a("192.0.2.1"), a("192.0.2.2"), a("192.0.2.3")},
                    a("192.0.2.50")};
const Names kNames6{Family::kIpv6,
                    {a("ff1e::1"), a("ff1e::2"), a("ff3e::8000:1")},
                    {a("fe80::1"), a("fe80::2"), a("fe80::3")},
                    a("fe80::50")};

IpAddress source_of(Family family, std::uint32_t n) {
  return a(((family == Family::kIpv4 ? "198.51.100." : "2001:db8::") + std::to_string(n)).c_str());
}

/// A party on the link. `send`: puts a datagram on it.
class Station {
 public:
  Station() = default;
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  virtual ~Station() = default;
  virtual void receive(Instant now, const Octets& octets) = 0;
  virtual void run(Instant now) = 0;
  [[nodiscard]] virtual Instant deadline() const = 0;
  /// What there is to send now.
  virtual std::vector<Octets> take() = 0;
};

std::optional<GroupQuery> query_in(const Octets& octets) {
  const auto view = DatagramView::parse(octets);
  if (!view) return std::nullopt;
  const auto message = parse_group_message(*view, {.router_alert = false});
  if (!message || !std::holds_alternative<GroupQuery>(*message)) return std::nullopt;
  return std::get<GroupQuery>(*message);
}

class NewHost final : public Station {
 public:
  NewHost(const Names& names, Random& random)
      : names_(names), machine_(HostOptions{.family = names.family, .ssm = SsmRange()}, random) {}
  void set(Instant now, const IpAddress& group, const SourceFilter& filter) {
    ASSERT_TRUE(machine_.set_filter(now, group, filter));
  }
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const { return machine_.filter(group); }
  void receive(Instant now, const Octets& octets) override {
    const auto query = query_in(octets);
    if (!query) return;
    if (query->is_general()) {
      machine_.handle_general_query(now, query->robustness, query->max_response_time);
    } else {
      machine_.handle_specific_query(now, *query);
    }
  }
  void run(Instant now) override { machine_.handle_timeout(now); }
  [[nodiscard]] Instant deadline() const override { return machine_.next_deadline(); }
  std::vector<Octets> take() override {
    std::vector<Octets> out;
    while (const auto records = machine_.poll_report()) out.push_back(write_report(names_.host, *records));
    return out;
  }

 private:
  const Names& names_;
  HostMachine machine_;
};

/// IGMPv1, IGMPv2 or MLDv1, without the suppression of reports that others have sent.
class OlderHost final : public Station {
 public:
  OlderHost(const Names& names, int version, Random& random) : names_(names), version_(version), random_(random) {}
  void join(Instant now, const IpAddress& group) { report_due_.try_emplace(group, now); }
  void leave(const IpAddress& group) {
    if (report_due_.erase(group) == 0 || version_ == 1) return;
    out_.push_back(names_.family == Family::kIpv4 ? igmpv2_leave(names_.host, group) : mldv1_done(names_.host, group));
  }
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const {
    return report_due_.contains(group) ? SourceFilter{FilterMode::kExclude, {}} : SourceFilter{};
  }
  void receive(Instant now, const Octets& octets) override {
    const auto query = query_in(octets);
    if (!query) return;
    for (auto& [group, due] : report_due_) {
      if (!query->is_general() && query->group != group) continue;
      const Duration longest = version_ == 1 ? Duration(10s) : query->max_response_time;
      due = std::min(due, now + random_.between(Duration::zero(), longest));
    }
  }
  void run(Instant now) override {
    for (auto& [group, due] : report_due_) {
      if (now < due) continue;
      due = kNoDeadline;
      out_.push_back(names_.family == Family::kIpv6 ? mldv1_report(names_.host, group)
                     : version_ == 1                ? igmpv1_report(names_.host, group)
                                                    : igmpv2_report(names_.host, group));
    }
  }
  [[nodiscard]] Instant deadline() const override {
    Instant out = kNoDeadline;
    for (const auto& [group, due] : report_due_) out = std::min(out, due);
    return out;
  }
  std::vector<Octets> take() override { return std::exchange(out_, {}); }

 private:
  const Names& names_;
  int version_;
  Random& random_;
  std::map<IpAddress, Instant> report_due_;
  std::vector<Octets> out_;
};

class Router final : public Station {
 public:
  Router(Instant now, const Names& names, const IpAddress& address)
      : querier(
            QuerierOptions{
                .family = names.family, .query_interval = kQueryInterval, .query_response_interval = kResponseInterval},
            now),
        since(now) {
    querier.set_address(now, address);
  }
  void receive(Instant now, const Octets& octets) override { (void)querier.handle_datagram(now, octets, changes_); }
  void run(Instant now) override { querier.handle_timeout(now, changes_); }
  [[nodiscard]] Instant deadline() const override { return querier.next_deadline(); }
  std::vector<Octets> take() override {
    std::vector<Octets> out;
    while (auto query = querier.poll_query()) out.push_back(std::move(*query));
    return out;
  }

  Querier querier;
  Instant since;

 private:
  std::vector<FilterChange> changes_;
};

class Lan {
 public:
  Lan(const Names& names, std::uint64_t seed, unsigned loss_percent)
      : names_(names), random_(seed), loss_percent_(loss_percent) {
    for (int i = 0; i < 3; ++i) new_hosts_.push_back(std::make_unique<NewHost>(names_, random_));
    older_hosts_.push_back(std::make_unique<OlderHost>(names_, 2, random_));
    if (names_.family == Family::kIpv4) older_hosts_.push_back(std::make_unique<OlderHost>(names_, 1, random_));
    for (std::size_t i = 0; i < names_.routers.size(); ++i) start_router(i);
  }

  void step() {
    switch (random_.below(8)) {
      case 0:
        advance(random_.between(Duration::zero(), 100s));
        break;
      case 1:
        advance(random_.between(Duration::zero(), 12s));
        break;
      case 2:
      case 3:
        advance(random_.between(Duration::zero(), 1500ms));
        break;
      case 4: {
        OlderHost& host = *older_hosts_[random_.below(older_hosts_.size())];
        const IpAddress& group = names_.groups[random_.below(2)];
        if (random_.below(2) == 0) {
          host.join(now_, group);
        } else {
          host.leave(group);
        }
        break;
      }
      case 5: {
        // One router stays.
        const std::size_t i = random_.below(2);
        if (!routers_[i]) {
          start_router(i);
        } else if (random_.below(3) == 0) {
          routers_[i].reset();
        }
        break;
      }
      default:
        change_filter();
    }
    settle();
  }

  void calm() {
    loss_percent_ = 0;
    advance(5 * (2 * kQueryInterval + 2 * kResponseInterval));
  }

  /// Every router that has had time to hear an answer lets through what some host listens to.
  void expect_nobody_is_cut_off() const {
    for_each_router([&](const Router& router) {
      if (now_ < router.since + kResponseInterval + 1s) return;
      for (const IpAddress& group : names_.groups) {
        for (const SourceFilter& wanted : wishes(group)) {
          for (std::uint32_t n = 1; n <= kSources + 1; ++n) {
            const IpAddress source = source_of(names_.family, n);
            if (!wanted.accepts(source)) continue;
            ASSERT_TRUE(router.querier.filter(group).accepts(source))
                << group.to_string() << " from " << source.to_string() << " at " << (now_ - Instant{}) / 1ms << " ms";
          }
        }
      }
    });
  }

  /// To be called when calm: one querier, and no router lets through more than is wanted.
  void expect_agreement() const {
    std::size_t queriers = 0;
    const Router* lowest = nullptr;
    for_each_router([&](const Router& router) {
      if (lowest == nullptr) lowest = &router;
      if (router.querier.is_querier()) ++queriers;
      for (const IpAddress& group : names_.groups) {
        ASSERT_EQ(router.querier.filter(group).to_string(), merged(group).to_string()) << group.to_string();
      }
    });
    EXPECT_EQ(queriers, 1U);
    EXPECT_TRUE(lowest->querier.is_querier());
  }

 private:
  void start_router(std::size_t i) { routers_[i] = std::make_unique<Router>(now_, names_, names_.routers[i]); }

  template <typename F>
  void for_each_router(const F& f) const {
    for (const auto& router : routers_) {
      if (router) f(*router);
    }
  }
  [[nodiscard]] std::vector<Station*> stations() const {
    std::vector<Station*> out;
    for (const auto& host : new_hosts_) out.push_back(host.get());
    for (const auto& host : older_hosts_) out.push_back(host.get());
    for (const auto& router : routers_) {
      if (router) out.push_back(router.get());
    }
    return out;
  }
  [[nodiscard]] std::vector<SourceFilter> wishes(const IpAddress& group) const {
    std::vector<SourceFilter> out;
    for (const auto& host : new_hosts_) out.push_back(host->filter(group));
    for (const auto& host : older_hosts_) out.push_back(host->filter(group));
    return out;
  }
  /// RFC 3376 §3.2.
  [[nodiscard]] SourceFilter merged(const IpAddress& group) const {
    SourceList included;
    std::optional<SourceList> excluded;
    for (const SourceFilter& wish : wishes(group)) {
      if (wish.mode == FilterMode::kInclude) {
        included = set_union(included, wish.sources);
      } else {
        excluded = excluded ? set_intersection(*excluded, wish.sources) : wish.sources;
      }
    }
    if (!excluded) return {FilterMode::kInclude, included};
    return {FilterMode::kExclude, set_difference(*excluded, included)};
  }

  void change_filter() {
    const IpAddress& group = names_.groups[random_.below(names_.groups.size())];
    SourceFilter filter;
    const bool is_ssm = &group == &names_.groups.back();
    if (!is_ssm && random_.below(2) == 0) filter.mode = FilterMode::kExclude;
    for (std::uint32_t n = 1; n <= kSources; ++n) {
      if (random_.below(3) == 0) filter.sources.push_back(source_of(names_.family, n));
    }
    new_hosts_[random_.below(new_hosts_.size())]->set(now_, group, filter);
  }

  void advance(Duration time) {
    const Instant until = now_ + time;
    for (;;) {
      Instant next = kNoDeadline;
      for (const Station* station : stations()) next = std::min(next, station->deadline());
      if (next > until) break;
      now_ = std::max(now_, next);
      settle();
    }
    now_ = until;
    settle();
  }

  /// Timers that are due, and every datagram to everybody else, until all is quiet.
  void settle() {
    for (int rounds = 0;; ++rounds) {
      ASSERT_LT(rounds, 1000) << "they never stop talking";
      bool quiet = true;
      for (Station* const station : stations()) {
        if (station->deadline() <= now_) station->run(now_);
        for (const Octets& octets : station->take()) {
          quiet = false;
          for (Station* const other : stations()) {
            if (other != station && random_.below(100) >= loss_percent_) other->receive(now_, octets);
          }
        }
      }
      if (quiet) return;
    }
  }

  const Names& names_;
  SeededRandom random_;
  unsigned loss_percent_;
  Instant now_{};
  std::vector<std::unique_ptr<NewHost>> new_hosts_;
  std::vector<std::unique_ptr<OlderHost>> older_hosts_;
  std::array<std::unique_ptr<Router>, 3> routers_;
};

class QuerierOnALan : public testing::TestWithParam<const Names*> {};

TEST_P(QuerierOnALan, NobodyWhoListensIsEverCutOff) {  // I-a, I-b, I-c, I-d, I-g, I-h, I-i
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Lan lan(*GetParam(), seed, 0);
    for (int step = 0; step < 300; ++step) {
      lan.step();
      lan.expect_nobody_is_cut_off();
      if (HasFatalFailure()) return;
    }
    lan.calm();
    lan.expect_agreement();
    if (HasFatalFailure()) return;
  }
}

TEST_P(QuerierOnALan, LossesAreMadeGoodOnceTheLinkIsCalm) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Lan lan(*GetParam(), seed, 30);
    for (int step = 0; step < 200; ++step) lan.step();
    lan.calm();
    lan.expect_nobody_is_cut_off();
    lan.expect_agreement();
    if (HasFatalFailure()) return;
  }
}

std::string family_of(const testing::TestParamInfo<const Names*>& names) {
  return names.param->family == Family::kIpv4 ? "Igmp" : "Mld";
}
INSTANTIATE_TEST_SUITE_P(Families, QuerierOnALan, testing::Values(&kNames4, &kNames6), family_of);

}  // namespace
}  // namespace amt
