#include "relay/admission.hh"

#include <algorithm>

#include "base/assert.hh"
#include "base/byte_reader.hh"
#include "base/shrink.hh"

namespace amt {
namespace {

/// A customer's network and a site's, as they are given out (RFC 6177).
constexpr std::uint8_t kCustomerBits = 56;
constexpr std::uint8_t kSiteBits = 48;
constexpr std::uint8_t kSubscriberBitsV4 = 32;
constexpr std::uint8_t kSubscriberBitsV6 = 64;
constexpr std::size_t kCustomerFactor = 4;
constexpr std::size_t kSiteFactor = 16;
/// The least that is routed and given out of IPv4. One host may have all of it; so may a provider's NAT, with hundreds
/// of viewers behind each address. A sixth of a relay of 100 000 tunnels serves the one, and leaves the rest from the
/// other.
constexpr std::uint8_t kNetworkBitsV4 = 24;
constexpr std::size_t kNetworkFactorV4 = 64;
/// Where an address may have little its network is not to be short for that: 4 tunnels and 256 memberships for each of
/// 256 addresses.
constexpr std::size_t kNetworkTunnelsLeast = 1024;
constexpr std::size_t kNetworkMembershipsLeast = 65'536;
/// An IPv4 address that has no tunnel is not held to the share of its /24: a network whose hosts have one gateway each
/// may be all that a relay is for. Nor is one with few memberships.
constexpr std::uint32_t kTunnelsBeyondShare = 1;

/// Below these a limit is a plain number, without shares.
constexpr std::size_t kTunnelsSharedFrom = AdmissionLimits::kTunnelsSharedFrom;
constexpr std::size_t kChannelsSharedFrom = 1024;
/// A holder of less gets new channels while any are left: 60 groups for one gateway, and fewer at the very end.
constexpr std::size_t kMembershipsAlways = 64;
constexpr std::size_t kMembershipsAtTheEnd = 8;
constexpr std::size_t kTheEnd = 16;

/// Memory: a membership takes 150 octets or so.
constexpr std::size_t kMembershipsLeast = 1U << 20;
constexpr std::size_t kMembershipsPerTunnel = 16;

std::size_t memberships_beyond_share(std::size_t whole, std::size_t left) {
  constexpr std::size_t kPlenty = 4;
  return left < whole / kPlenty ? kMembershipsAtTheEnd : kMembershipsAlways;
}

Prefix prefix_of(const IpAddress& address, std::uint8_t length) { return {base_address({address, length}), length}; }

/// Without overflow where `factor * limit` has none to give.
std::size_t times(std::size_t factor, std::size_t limit) {
  return limit > SIZE_MAX / factor ? SIZE_MAX : factor * limit;
}

/// The allowance of a holder whose limit is `most` of `whole`. While half of the whole is left it is the limit; below
/// that it falls with the square of the rest. The last thirty-second is for holders of next to nothing.
std::size_t share(std::size_t most, std::size_t whole, std::size_t left) {
  most = std::min(most, whole);
  if (left >= whole / 2) return most;
  const double part = 2 * static_cast<double>(left) / static_cast<double>(whole);
  return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(most) * part * part));
}

std::size_t channel_share(std::size_t most, std::size_t whole, std::size_t left) {
  return std::max(left < whole / kTheEnd ? kMembershipsAtTheEnd : kMembershipsAlways, share(most, whole, left));
}

std::size_t memberships_max_of(const AdmissionLimits& limits) {
  return std::max(kMembershipsLeast, times(kMembershipsPerTunnel, limits.tunnels_max));
}

/// The room below a limit for a holder of `held`.
std::size_t room(std::size_t limit, std::size_t held) { return limit - std::min(limit, held); }

}  // namespace

Admission::Admission(const AdmissionLimits& limits, const KeyedHash& hash)
    : limits_(limits),
      tunnels_max_(limits.tunnels_max),
      hash_(hash),
      memberships_max_(memberships_max_of(limits)),
      usages_{Usages(0, hash), Usages(0, hash), Usages(0, hash)},
      channels_(0, hash),
      sources_listed_(kGroupPlaces) {}

void Admission::set_limits(const AdmissionLimits& limits) {
  const BriefLockGuard guard(lock_);
  limits_ = limits;
  tunnels_max_ = limits.tunnels_max;
  memberships_max_ = memberships_max_of(limits);
}

std::uint64_t Admission::mark_of(const Channel& channel) const {
  return hash_(channel.source.value_or(IpAddress::unspecified(channel.group.family())), channel.group);
}

Admission::Levels Admission::levels_of(const IpAddress& address) {
  ByteReader octets(address.bytes());
  const std::uint64_t first = octets.u32();
  Levels levels;
  if (address.is_v4()) {
    // No /64 of gateways begins with 32 ones (multicast, RFC 4291).
    constexpr std::uint64_t kIpv4 = 0xffffffff;
    levels.all[0] = {0, kIpv4 << 32 | first, 1, kSubscriberBitsV4};
    // Larger than any key of a /56, with which it shares a table.
    const std::uint64_t network = first >> (kSubscriberBitsV4 - kNetworkBitsV4);
    levels.all[1] = {.table = 1,
                     .key = kIpv4 << 32 | network,
                     .factor = kNetworkFactorV4,
                     .prefix_length = kNetworkBitsV4,
                     .spares_small_holders = true,
                     .tunnels_least = kNetworkTunnelsLeast,
                     .memberships_least = kNetworkMembershipsLeast};
    levels.count = 2;
    return levels;
  }
  const Key key = first << 32 | octets.u32();
  const auto shortened = [key](std::uint8_t bits) { return key >> (kSubscriberBitsV6 - bits); };
  levels.all = {{{0, key, 1, kSubscriberBitsV6},
                 {1, shortened(kCustomerBits), kCustomerFactor, kCustomerBits},
                 {2, shortened(kSiteBits), kSiteFactor, kSiteBits}}};
  levels.count = kLevels;
  return levels;
}

Admission::Usage Admission::usage(const Level& level) const {
  const Usages& table = usages_[level.table];
  const auto found = table.find(level.key);
  return found == table.end() ? Usage{} : found->second;
}

template <typename Change>
void Admission::change(const IpAddress& address, const Change& change) {
  const Levels levels = levels_of(address);
  for (const Level& level : levels.used()) {
    Usages& table = usages_[level.table];
    const auto entry = table.try_emplace(level.key).first;
    change(entry->second);
    if (!entry->second.is_nothing()) continue;
    table.erase(entry);
    shrink_if_sparse(table);
  }
}

std::optional<Refusal> Admission::refusal_of_tunnel(const IpAddress& address) const {
  const std::size_t left = room(limits_.tunnels_max, tunnels_);
  const Levels levels = levels_of(address);
  if (left == 0) return Refusal{RelayReject::kTunnelLimit, prefix_of(address, levels.all[0].prefix_length)};
  const std::size_t whole = limits_.tunnels_max;
  const bool is_shared = limits_.tunnels_per_address_max < whole && whole >= kTunnelsSharedFrom;
  for (const Level& level : levels.used()) {
    const std::size_t held = usage(level).tunnels;
    const Prefix whose = prefix_of(address, level.prefix_length);
    const std::size_t most = std::max(level.tunnels_least, times(level.factor, limits_.tunnels_per_address_max));
    if (held >= most) {
      return Refusal{level.table == 0 ? RelayReject::kTunnelPerAddressLimit : RelayReject::kTunnelPerPrefixLimit,
                     whose};
    }
    if (!is_shared || held < share(most, whole, left)) continue;
    if (level.spares_small_holders && usage(levels.all[0]).tunnels < kTunnelsBeyondShare) continue;
    return Refusal{RelayReject::kTunnelShareLimit, whose};
  }
  return std::nullopt;
}

std::optional<Refusal> Admission::take_tunnel(const IpAddress& address) {
  const BriefLockGuard guard(lock_);
  if (std::optional<Refusal> refusal = refusal_of_tunnel(address)) return refusal;
  ++tunnels_;
  change(address, [](Usage& usage) { ++usage.tunnels; });
  return std::nullopt;
}

void Admission::release_tunnel(const IpAddress& address) {
  const BriefLockGuard guard(lock_);
  AMT_ASSERT(tunnels_ != 0);
  --tunnels_;
  change(address, [](Usage& usage) {
    AMT_ASSERT(usage.tunnels != 0);
    --usage.tunnels;
  });
}

bool Admission::refuses_tunnel(const IpAddress& address) const {
  const BriefLockGuard guard(lock_);
  return refusal_of_tunnel(address).has_value();
}

Admission::Grant Admission::take_memberships(const IpAddress& address, std::size_t wanted) {
  const BriefLockGuard guard(lock_);
  const std::size_t left = room(memberships_max_, memberships_);
  Grant grant{wanted};
  const auto cut = [&](std::size_t at_most, RelayReject reason, std::uint8_t prefix_length) {
    if (at_most >= grant.memberships) return;
    grant = {at_most, Refusal{reason, prefix_of(address, prefix_length)}};
  };
  const Levels levels = levels_of(address);
  for (const Level& level : levels.used()) {
    const std::size_t held = usage(level).memberships;
    const std::size_t limit = std::max(level.memberships_least, times(level.factor, limits_.channels_per_address_max));
    cut(room(limit, held),
        level.table == 0 ? RelayReject::kChannelPerAddressLimit : RelayReject::kChannelPerPrefixLimit,
        level.prefix_length);
    cut(room(channel_share(limit, memberships_max_, left), held), RelayReject::kMembershipLimit, level.prefix_length);
  }
  cut(left, RelayReject::kMembershipLimit, levels.all[0].prefix_length);
  if (grant.memberships == 0) return grant;
  memberships_ += grant.memberships;
  change(address, [&](Usage& usage) { usage.memberships += static_cast<std::uint32_t>(grant.memberships); });
  return grant;
}

void Admission::release_memberships(const IpAddress& address, std::size_t memberships) {
  if (memberships == 0) return;
  const BriefLockGuard guard(lock_);
  AMT_ASSERT(memberships_ >= memberships);
  memberships_ -= memberships;
  change(address, [&](Usage& usage) {
    AMT_ASSERT(usage.memberships >= memberships);
    usage.memberships -= static_cast<std::uint32_t>(memberships);
  });
}

const Admission::Level* Admission::above_share(const Levels& levels, std::size_t whole, std::size_t left) const {
  // While half of them are left no holder is limited. A large network's memberships may be of a few channels.
  if (limits_.one_may_have_all_channels || whole < kChannelsSharedFrom || left >= whole / 2) return nullptr;
  for (const Level& level : levels.used()) {
    // This one's own membership is among them already.
    const std::size_t most = times(level.factor, limits_.channels_per_address_max);
    if (usage(level).memberships <= channel_share(most, whole, left)) continue;
    if (level.spares_small_holders && usage(levels.all[0]).memberships <= memberships_beyond_share(whole, left))
      continue;
    return &level;
  }
  return nullptr;
}

bool Admission::is_source_listed(const Channel& channel) const {
  return channel.source && limits_.ssm.contains(channel.group);
}

std::optional<Refusal> Admission::take_channel(const Channel& channel, const IpAddress& address) {
  const std::uint64_t mark = mark_of(channel);
  const BriefLockGuard guard(lock_);
  if (const auto known = channels_.find(mark); known != channels_.end()) {
    ++known->second;
    ++channel_holders_;
    return std::nullopt;
  }
  const Levels levels = levels_of(address);
  const auto refusal = [&](RelayReject reason) {
    return Refusal{reason, prefix_of(address, levels.all[0].prefix_length)};
  };
  const std::size_t left = room(limits_.channels_max, channels_.size());
  if (left == 0) return refusal(RelayReject::kChannelLimit);
  if (const auto whose = above_share(levels, limits_.channels_max, left)) {
    return Refusal{RelayReject::kChannelShareLimit, prefix_of(address, whose->prefix_length)};
  }
  if (is_source_listed(channel)) {
    const std::size_t whole = limits_.sources_per_group_max();
    std::uint32_t& listed = sources_listed(channel.group);
    const std::size_t places = room(whole, listed);
    if (places == 0 || above_share(levels, whole, places)) return refusal(RelayReject::kGroupSourcesLimit);
    ++listed;
  }
  channels_.emplace(mark, 1);
  ++channel_holders_;
  return std::nullopt;
}

void Admission::hold_channels(std::span<const Channel> channels) {
  if (channels.empty()) return;
  const BriefLockGuard guard(lock_);
  channel_holders_ += channels.size();
  for (const Channel& channel : channels) {
    const auto known = channels_.find(mark_of(channel));
    AMT_ASSERT(known != channels_.end());
    ++known->second;
  }
}

void Admission::release_channels(std::span<const Channel> channels) {
  if (channels.empty()) return;
  const BriefLockGuard guard(lock_);
  AMT_ASSERT(channel_holders_ >= channels.size());
  channel_holders_ -= channels.size();
  for (const Channel& channel : channels) {
    const auto known = channels_.find(mark_of(channel));
    AMT_ASSERT(known != channels_.end());
    if (--known->second != 0) continue;
    channels_.erase(known);
    if (!is_source_listed(channel)) continue;
    std::uint32_t& listed = sources_listed(channel.group);
    AMT_ASSERT(listed != 0);
    --listed;
  }
  shrink_if_sparse(channels_);
}

Admission::Usage Admission::usage_of(const IpAddress& address) const {
  const BriefLockGuard guard(lock_);
  return usage(levels_of(address).all[0]);
}

Admission::Totals Admission::totals() const {
  const BriefLockGuard guard(lock_);
  return {tunnels_, memberships_, channels_.size(), channel_holders_, usages_[0].size()};
}

}  // namespace amt
