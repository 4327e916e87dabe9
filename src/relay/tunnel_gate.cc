#include "relay/tunnel_gate.hh"

#include <algorithm>

namespace amt {

Relay::Impl::Gate::~Gate() {
  admission().release_memberships(address_, spare_);
  admission().release_channels(taken_);
}

bool Relay::Impl::Gate::allows_group(const IpAddress& group) {
  const std::vector<Prefix>& allowed = relay_.options.allowed_groups;
  if (allowed.empty()) return true;
  if (std::ranges::any_of(allowed, [&](const Prefix& prefix) { return prefix.contains(group); })) return true;
  relay_.refuse(now_, {RelayReject::kGroupNotAllowed, subscriber_of(address_)});
  return false;
}

std::size_t Relay::Impl::Gate::take_memberships(std::size_t wanted) {
  std::size_t taken = std::min(spare_, wanted);
  spare_ -= taken;
  if (taken < wanted) {
    const Admission::Grant grant = admission().take_memberships(address_, wanted - taken);
    taken += grant.memberships;
    if (grant.refusal) relay_.refuse(now_, *grant.refusal, wanted - taken);
  }
  memberships_ += static_cast<std::uint32_t>(taken);
  return taken;
}

void Relay::Impl::Gate::release_memberships(std::size_t count) {
  AMT_ASSERT(memberships_ >= count);
  memberships_ -= static_cast<std::uint32_t>(count);
  spare_ += count;
}

bool Relay::Impl::Gate::allows_channel(const IpAddress* source, const IpAddress& group) {
  if (relay_.table.has_channel(source, group)) return true;
  Channel channel{source == nullptr ? std::nullopt : std::optional(*source), group};
  if (const std::optional<Refusal> refusal = admission().take_channel(channel, address_)) {
    relay_.refuse(now_, *refusal);
    return false;
  }
  taken_.push_back(std::move(channel));
  return true;
}

}  // namespace amt
