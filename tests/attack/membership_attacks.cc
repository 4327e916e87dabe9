/// An honest address that asks for too much, too often.

#include <algorithm>
#include <array>
#include <cstdio>

#include "attacks.hh"
#include "crowd.hh"
#include "sys/clock.hh"

namespace amt::attack {
namespace {

/// An Update's inner datagram, so that the outer one passes everywhere.
constexpr std::size_t kReportOctetsMax = 1400;
constexpr std::uint32_t kGroupSpaceV4 = 0xE8640000;   // 232.100.0.0, sources named
constexpr std::uint32_t kGroupSpaceAsm = 0xEF640000;  // 239.100.0.0
constexpr std::uint32_t kSourceSpaceV4 = 0xC6120000;  // 198.18.0.0

IpAddress from_v6_prefix(std::array<std::uint8_t, 4> prefix, std::uint32_t number) {
  std::array<std::byte, 16> octets{};
  for (std::size_t i = 0; i < 4; ++i) {
    octets[i] = std::byte{prefix[i]};
    octets[12 + i] = static_cast<std::byte>(number >> (24 - 8 * i) & 0xff);
  }
  octets[12] |= std::byte{0x80};  // groups: the half of the numbers that hosts may choose (RFC 4607 §1)
  return IpAddress::from_v6(octets);
}

/// What each tunnel wants: the channel that is named, or channels that nobody else wants. Sources of two tunnels then
/// always differ; groups unless they are shared.
class Wants {
 public:
  explicit Wants(const Options& options)
      : groups_(options.number("groups", 1)),
        sources_(options.number("sources", 0)),
        shared_(options.number("shared", 0) != 0 || options.has("group")),
        inner_(options.number("inner", 4) == 4 ? Family::kIpv4 : Family::kIpv6) {
    if (options.has("group")) channel_ = {options.address("source"), options.address("group")};
  }

  [[nodiscard]] std::uint32_t groups() const { return groups_; }
  [[nodiscard]] Family inner() const { return inner_; }
  [[nodiscard]] IpAddress group(const Tunnel& tunnel, std::uint32_t i) const {
    const std::uint32_t number = shared_ ? i : static_cast<std::uint32_t>(tunnel.number) * groups_ + i;
    if (inner_ == Family::kIpv4) return IpAddress::from_v4((sources_ > 0 ? kGroupSpaceV4 : kGroupSpaceAsm) + number);
    return sources_ > 0 ? from_v6_prefix({0xff, 0x3e, 0, 0}, number) : from_v6_prefix({0xff, 0x1e, 0, 1}, number);
  }
  [[nodiscard]] IpAddress source(const Tunnel& tunnel, std::uint32_t i) const {
    const std::uint32_t number = static_cast<std::uint32_t>(tunnel.number) * sources_ + i + 1;
    if (inner_ == Family::kIpv4) return IpAddress::from_v4(kSourceSpaceV4 + number);
    return from_v6_prefix({0x20, 0x01, 0x0d, 0xb8}, number);
  }
  [[nodiscard]] GroupRecord join(const Tunnel& tunnel, std::uint32_t i) const {
    if (channel_) return {RecordType::kAllowNewSources, channel_->group, {*channel_->source}};
    GroupRecord record{
        sources_ > 0 ? RecordType::kAllowNewSources : RecordType::kChangeToExclude, group(tunnel, i), {}};
    for (std::uint32_t s = 0; s < sources_; ++s) record.sources.push_back(source(tunnel, s));
    return record;
  }
  [[nodiscard]] GroupRecord leave(const Tunnel& tunnel, std::uint32_t i) const {
    return {RecordType::kChangeToInclude, group(tunnel, i), {}};
  }
  /// One source of the group goes (`round` even) or comes back; without sources the whole group.
  [[nodiscard]] GroupRecord change(const Tunnel& tunnel, std::uint32_t i, std::uint32_t round) const {
    const bool goes = round % 2 == 0;
    if (sources_ == 0) return goes ? leave(tunnel, i) : join(tunnel, i);
    return {goes ? RecordType::kBlockOldSources : RecordType::kAllowNewSources,
            group(tunnel, i),
            {source(tunnel, round / 2 % sources_)}};
  }

 private:
  std::uint32_t groups_;
  std::uint32_t sources_;
  bool shared_;
  Family inner_;
  /// The only one, where it is given.
  std::optional<Channel> channel_;
};

/// Sends records in as few Updates as hold them, `per_second` Updates at most (0: as fast as it goes).
class Reporter {
 public:
  Reporter(Crowd& crowd, std::uint32_t per_second) : crowd_(crowd), next_(monotonic_now()) {
    if (per_second > 0) interval_ = Duration(std::chrono::seconds(1)) / per_second;
  }
  void add(Tunnel& tunnel, GroupRecord record) {
    const std::size_t octets = record_octets(record);
    if (!records_.empty() && octets_ + octets > kReportOctetsMax) flush(tunnel);
    octets_ += octets;
    records_.push_back(std::move(record));
  }
  void flush(Tunnel& tunnel) {
    if (records_.empty()) return;
    while (monotonic_now() < next_) crowd_.receive(std::chrono::milliseconds(1), {});
    next_ = std::max(next_, monotonic_now() - std::chrono::milliseconds(100)) + interval_;
    sent_octets += crowd_.send_report(tunnel, records_);
    ++updates;
    if (updates % kUpdatesBetweenReads == 0) crowd_.receive(Duration(0), {});
    records_.clear();
    octets_ = 0;
  }
  std::size_t updates = 0;
  std::size_t sent_octets = 0;

 private:
  static constexpr std::size_t kUpdatesBetweenReads = 32;
  Crowd& crowd_;
  Instant next_;
  Duration interval_{};
  std::vector<GroupRecord> records_;
  std::size_t octets_ = 0;
};

struct Attack {
  Crowd& crowd;
  const Wants& wants;
  Reporter& reporter;
  Instant end;

  void join_all() {
    for (Tunnel& tunnel : crowd.tunnels()) {
      for (std::uint32_t i = 0; i < wants.groups() && monotonic_now() < end; ++i)
        reporter.add(tunnel, wants.join(tunnel, i));
      reporter.flush(tunnel);
    }
  }
  void change_until_end() {
    for (std::uint32_t round = 0; monotonic_now() < end; ++round) {
      for (Tunnel& tunnel : crowd.tunnels()) {
        if (monotonic_now() >= end) return;
        for (std::uint32_t i = 0; i < wants.groups(); ++i) reporter.add(tunnel, wants.change(tunnel, i, round));
        reporter.flush(tunnel);
      }
    }
  }
  /// The same record as often as one Update holds it, in Updates without end: nothing changes.
  void repeat_until_end() {
    while (monotonic_now() < end) {
      for (Tunnel& tunnel : crowd.tunnels()) {
        const GroupRecord record = wants.join(tunnel, 0);
        for (std::size_t octets = 0; octets < kReportOctetsMax; octets += record_octets(record)) {
          reporter.add(tunnel, record);
        }
        reporter.flush(tunnel);
      }
    }
  }
  /// IGMPv2 or MLDv1 reports, each for another group.
  void older_until_end() {
    for (std::uint32_t i = 0; monotonic_now() < end; ++i) {
      for (Tunnel& tunnel : crowd.tunnels()) {
        const OlderReport report{static_cast<std::uint8_t>(wants.inner() == Family::kIpv4 ? 2 : 1),
                                 wants.group(tunnel, i)};
        reporter.sent_octets +=
            crowd.send_update(tunnel, write_older_report(IpAddress::unspecified(wants.inner()), report));
        ++reporter.updates;
      }
      crowd.receive(Duration(0), {});
    }
  }
  void finish(const std::string& then) {
    for (Tunnel& tunnel : crowd.tunnels()) {
      if (then == "teardown") crowd.send_teardown(tunnel);
      if (then == "leave") {
        for (std::uint32_t i = 0; i < wants.groups(); ++i) reporter.add(tunnel, wants.leave(tunnel, i));
        reporter.flush(tunnel);
      }
    }
  }
};

constexpr std::size_t kTeardownsAtOnce = 16;
constexpr Duration kTeardownPause = std::chrono::milliseconds(10);

}  // namespace

int run_membership(const Options& options) {
  const Wants wants(options);
  Crowd crowd({options.addresses("relay"), options.addresses("local"), options.number("tunnels", 1), wants.inner()});
  const Instant end = monotonic_now() + options.milliseconds("milliseconds", 10'000);
  Reporter reporter(crowd, options.number("updates_per_second", 0));
  Attack attack{crowd, wants, reporter, end};
  const std::string then = options.text("then", "teardown");
  const std::string act = options.text("act", "cycle");
  std::size_t rounds = 0;
  std::size_t granted = 0;
  do {
    granted = crowd.request_all(std::min<Duration>(std::chrono::seconds(5), end - monotonic_now()));
    attack.join_all();
    if (rounds++ == 0) {
      std::printf("{\"granted\": %zu, \"joined\": true}\n", granted);
      std::fflush(stdout);
    }
    if (act == "change") attack.change_until_end();
    if (act == "repeat") attack.repeat_until_end();
    if (act == "older") attack.older_until_end();
    if (act == "hold") {
      while (monotonic_now() < end) crowd.receive(std::chrono::milliseconds(50), {});
    }
    attack.finish(then);
  } while (monotonic_now() < end);
  // Leaves beyond what the relay takes of one address are refused, and their groups live until they expire. A Teardown
  // is not refused, and so few at a time find room in the relay's buffer behind all that came before.
  if (then != "vanish") {
    for (Tunnel& tunnel : crowd.tunnels()) {
      crowd.send_teardown(tunnel);
      if (tunnel.number % kTeardownsAtOnce == 0) crowd.receive(kTeardownPause, {});
    }
  }
  std::printf("{\"granted\": %zu, \"rounds\": %zu, \"updates\": %zu, \"octets\": %zu}\n", granted, rounds,
              reporter.updates, reporter.sent_octets);
  return 0;
}

}  // namespace amt::attack
