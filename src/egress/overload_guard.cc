#include "egress/overload_guard.hh"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>

#include "amt/channel.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

/// Usually, and fewer where that would take longer than `kTurnMax`: control messages need their turn, and the length of
/// a turn is not measured within it.
constexpr std::size_t kDatagramsMax = 1024;
constexpr std::size_t kDatagramsMin = 64;
constexpr double kTurnMaxSeconds = 0.05;
/// Under overload: all that a capture buffer holds.
constexpr std::size_t kDatagramsMaxOverloaded = 1 << 16;
/// A turn is long that takes this much time, or as many datagrams as it may.
constexpr Duration kLongTurn = std::chrono::milliseconds(20);
/// Turns have to be long for this time, one after the other. Where few packets wait, one burst may be slow work: 64
/// packets to 1000 gateways take 150 ms, more on a core that is shared, and the capture buffer has room for the packets
/// that come meanwhile.
constexpr Duration kPatienceMany = std::chrono::milliseconds(100);
constexpr Duration kPatienceFew = std::chrono::milliseconds(500);
/// The copies that may be sent in one turn under overload. The next turn then finds the buffer not yet full.
constexpr double kSharedSeconds = 0.01;
/// Too few to measure the rate.
constexpr Duration kMeasuredTurn = std::chrono::milliseconds(1);
constexpr double kWeight = 0.25;

void follow(double& average, double value) { average = average == 0 ? value : average + kWeight * (value - average); }

struct Share {
  std::size_t copies_each = 0;
  std::size_t datagrams = 0;
  std::size_t kept = 0;
  [[nodiscard]] std::size_t demand() const { return copies_each * datagrams; }
};

/// Max-min fairness: a channel that needs less than an equal share gets its need, the others share the rest equally.
std::size_t fair_level(const std::vector<Share>& shares, std::size_t budget) {
  std::vector<std::size_t> demands;
  for (const Share& share : shares) demands.push_back(share.demand());
  std::ranges::sort(demands);
  for (std::size_t i = 0; i < demands.size(); ++i) {
    const std::size_t level = budget / (demands.size() - i);
    if (demands[i] > level) return level;
    budget -= demands[i];
  }
  return demands.empty() ? 0 : demands.back();
}

}  // namespace

std::size_t OverloadGuard::begin_turn(Instant now) {
  began_ = now;
  datagrams_max_ = kDatagramsMax;
  if (copies_each_ > 0 && copies_per_second_ > 0) {
    const double fit =
        std::min(copies_per_second_ * kTurnMaxSeconds / copies_each_, static_cast<double>(kDatagramsMax));
    datagrams_max_ = std::max(kDatagramsMin, static_cast<std::size_t>(fit));
  }
  if (overloaded_) datagrams_max_ = kDatagramsMaxOverloaded;
  return datagrams_max_;
}

std::size_t OverloadGuard::shed(std::vector<CapturedDatagram>& batch, const CopiesOf& copies_of) {
  if (!overloaded_) return 0;
  constexpr std::size_t kNoShare = SIZE_MAX;
  std::vector<Share> shares;
  std::vector<std::size_t> share_of;
  boost::unordered_flat_map<Channel, std::size_t> known;
  std::size_t demand = 0;
  for (const CapturedDatagram& datagram : batch) {
    const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram.bytes);
    if (!addresses) {
      share_of.push_back(kNoShare);
      continue;
    }
    const auto [entry, is_new] = known.try_emplace({addresses->source, addresses->destination}, shares.size());
    if (is_new) shares.push_back({.copies_each = copies_of(addresses->source, addresses->destination)});
    ++shares[entry->second].datagrams;
    demand += shares[entry->second].copies_each;
    share_of.push_back(entry->second);
  }
  const auto budget = static_cast<std::size_t>(copies_per_second_ * kSharedSeconds);
  if (demand <= budget) {
    overloaded_ = false;
    long_since_ = kNoDeadline;
    return 0;
  }
  const std::size_t level = fair_level(shares, budget);
  std::size_t at = 0;
  return std::erase_if(batch, [&](const CapturedDatagram&) {
    const std::size_t index = share_of[at++];
    if (index == kNoShare) return false;
    Share& share = shares[index];
    // One of each at least, however many gateways it has.
    if (share.kept > 0 && (share.kept + 1) * share.copies_each > level) return true;
    ++share.kept;
    return false;
  });
}

void OverloadGuard::end_turn(Instant now, std::size_t datagrams, std::uint64_t copies, Waiting waiting) {
  const Duration took = now - began_;
  if (datagrams > 0 && !overloaded_) follow(copies_each_, static_cast<double>(copies) / static_cast<double>(datagrams));
  if (took >= kMeasuredTurn && copies > 0) {
    follow(copies_per_second_, static_cast<double>(copies) / std::chrono::duration<double>(took).count());
  }
  if (waiting == Waiting::kNone) {
    overloaded_ = false;
    long_since_ = kNoDeadline;
  }
  if (overloaded_ || waiting == Waiting::kNone) return;
  if (took < kLongTurn && datagrams < datagrams_max_) {
    long_since_ = kNoDeadline;
  } else if (long_since_ == kNoDeadline) {
    long_since_ = began_;
  }
  const Duration patience = waiting == Waiting::kMany ? kPatienceMany : kPatienceFew;
  overloaded_ = long_since_ != kNoDeadline && now - long_since_ > patience && copies_per_second_ > 0;
}

}  // namespace amt
