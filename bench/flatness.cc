/// Do costs grow with what there is? Each is measured at a small and at a large size in turn, A-B-A, in one run.
///
///   flatness [TUNNELS_MAX]
///
/// Ratios are medians over all rounds; noise is the median difference of a round's two measurements at the small size.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

#include "cpu_time.hh"
#include "crowded_relay.hh"
#include "forward/replication_table.hh"

namespace amt {
namespace {

constexpr int kRounds = 15;

/// What one sample took, for each of its operations.
using Sample = std::function<double()>;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void compare(const char* what, const char* small_name, const Sample& small, const char* large_name,
             const Sample& large) {
  static_cast<void>(small());
  static_cast<void>(large());
  std::vector<double> base;
  std::vector<double> ratios;
  std::vector<double> noises;
  for (int round = 0; round < kRounds; ++round) {
    const double before = small();
    const double middle = large();
    const double after = small();
    base.push_back((before + after) / 2);
    ratios.push_back(middle / base.back());
    noises.push_back(std::abs(before / after - 1));
  }
  std::printf("%-44s %9s %7.0f ns   %9s  ratio %.2f   noise %.0f %%\n", what, small_name, median(base), large_name,
              median(ratios), 100 * median(noises));
  std::fflush(stdout);
}

template <typename F>
double time_each(std::size_t operations, const F& run) {
  const Duration start = cpu_time();
  run();
  return static_cast<double>((cpu_time() - start).count()) / static_cast<double>(operations);
}

// --- who wants this packet? ---

const IpAddress kSource = IpAddress::from_v4(std::uint32_t{0xc633640a});
IpAddress group(std::uint64_t number) { return IpAddress::from_v4(static_cast<std::uint32_t>(0xe8000001 + number)); }

class LookUps {
 public:
  LookUps(std::uint32_t channels, bool wanted) : wanted_(wanted) {
    for (std::uint32_t i = 0; i < channels; ++i) {
      table_.apply(TunnelId{i}, {group(i), {}, {FilterMode::kInclude, {kSource}}});
    }
    // In an order that no prefetcher guesses.
    SeededRandom random(1);
    for (std::size_t i = 0; i < kPackets; ++i)
      groups_.push_back(group((wanted ? 0 : channels) + random.below(channels)));
  }

  double sample() {
    return time_each(kPackets, [this] {
      std::size_t found = 0;
      for (const IpAddress& wanted : groups_) found += table_.find(kSource, wanted).size();
      AMT_ASSERT(found == (wanted_ ? kPackets : 0));
    });
  }

 private:
  static constexpr std::size_t kPackets = 1 << 16;
  ReplicationTable table_;
  std::vector<IpAddress> groups_;
  bool wanted_;
};

void compare_look_ups() {
  for (const bool wanted : {true, false}) {
    LookUps one(1, wanted);
    LookUps hundred(100, wanted);
    LookUps many(10'000, wanted);
    const char* const what = wanted ? "look-up, wanted" : "look-up, nobody wants it";
    compare(
        what, "1 channel", [&] { return one.sample(); }, "1", [&] { return one.sample(); });
    compare(
        what, "1 channel", [&] { return one.sample(); }, "100", [&] { return hundred.sample(); });
    compare(
        what, "1 channel", [&] { return one.sample(); }, "10 000", [&] { return many.sample(); });
  }
}

// --- memberships come, stay and go ---

/// Some gateways are let in together and leave together before the next ones: always others, as nearly nothing of
/// what a relay of a million tunnels holds is in a cache when it is needed.
class Traffic {
 public:
  Traffic(std::uint32_t tunnels, std::uint32_t channels) : relay_(tunnels, channels) {
    SeededRandom random(2);
    for (std::uint32_t i = 0; i < kVisitors; ++i) {
      // A channel of its own stays one: beyond those of the tunnels.
      visitors_.push_back(relay_.make_visitor(i, channels == kOwn ? 0x00800000 + i : i));
      const auto resident = static_cast<std::uint32_t>(random.below(tunnels));
      refreshes_.push_back({CrowdedRelay::resident(resident), relay_.resident_refresh(resident, (1U << 29) + i)});
    }
  }

  static constexpr std::uint32_t kOwn = 0x01000000;

  double join() {
    const double each = pass(&Visitor::join);
    undo(&Visitor::leave);
    return each;
  }
  double leave() {
    undo(&Visitor::join);
    return pass(&Visitor::leave);
  }
  /// One after the other, or as the relay's socket gives them: some at once.
  double refresh() { return refresh_together(1); }
  double refresh_in_batches() { return refresh_together(kBatch); }

 private:
  static constexpr std::uint32_t kVisitors = 1 << 15;
  static constexpr std::size_t kTogether = 1 << 11;
  /// What the relay's socket gives at once where much waits.
  static constexpr std::size_t kBatch = 64;

  struct Refresh {
    TunnelEndpoint resident;
    Octets message;
  };

  double pass(Octets Visitor::*message) {
    return time_each(kTogether, [&] { undo(message); });
  }
  /// The visitors at hand all send this message. After the last one it is the next ones' turn.
  void undo(Octets Visitor::*message) {
    for (std::size_t first = first_; first < first_ + kTogether; first += kBatch) {
      take_batch(kBatch, [&](std::size_t i) {
        const Visitor& visitor = visitors_[(first + i) % kVisitors];
        return std::pair<const TunnelEndpoint&, Bytes>(visitor.endpoint, visitor.*message);
      });
    }
    if (message == &Visitor::leave) first_ += kTogether;
  }
  double refresh_together(std::size_t size) {
    return time_each(kTogether, [&] {
      for (std::size_t end = next_refresh_ + kTogether; next_refresh_ < end; next_refresh_ += size) {
        take_batch(size, [&](std::size_t i) {
          const Refresh& refresh = refreshes_[(next_refresh_ + i) % kVisitors];
          return std::pair<const TunnelEndpoint&, Bytes>(refresh.resident, refresh.message);
        });
      }
    });
  }
  template <typename MessageOf>
  void take_batch(std::size_t size, const MessageOf& message_of) {
    for (std::size_t i = 0; size > 1 && i < size; ++i) relay_.relay().prefetch_index(message_of(i).first);
    for (std::size_t i = 0; size > 1 && i < size; ++i) relay_.relay().prefetch_tunnel(message_of(i).first);
    for (std::size_t i = 0; i < size; ++i) relay_.take(message_of(i).first, message_of(i).second);
  }

  CrowdedRelay relay_;
  std::vector<Visitor> visitors_;
  std::vector<Refresh> refreshes_;
  std::size_t first_ = 0;
  std::size_t next_refresh_ = 0;
};

void compare_updates(std::uint32_t tunnels_max, std::uint32_t channels, const char* where) {
  Traffic few(10, channels);
  for (const std::uint32_t tunnels : {10U, 10'000U, tunnels_max}) {
    Traffic many(tunnels, channels);
    const std::string size = std::to_string(tunnels);
    const auto row = [&](const char* what, double (Traffic::*sample)()) {
      const std::string name = std::string(what) + where;
      compare(
          name.c_str(), "10 tunnels", [&] { return (few.*sample)(); }, size.c_str(), [&] { return (many.*sample)(); });
    };
    row("join, ", &Traffic::join);
    row("leave, ", &Traffic::leave);
    row("refresh, ", &Traffic::refresh);
    row("refresh in batches, ", &Traffic::refresh_in_batches);
  }
}

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  const auto tunnels_max = static_cast<std::uint32_t>(count > 1 ? std::strtoul(values[1], nullptr, 10) : 1'000'000);
  amt::compare_look_ups();
  amt::compare_updates(tunnels_max, 8, "8 channels");
  amt::compare_updates(tunnels_max, amt::Traffic::kOwn, "a channel each");
}
