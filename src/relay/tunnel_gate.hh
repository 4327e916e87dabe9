#pragma once
/// Admits the additions of one tunnel's messages and timers. Only for this room.

#include <vector>

#include "membership/router_gate.hh"
#include "relay/relay_impl.hh"

namespace amt {

/// For one input, from before the tunnel's RouterState is touched until its changes have been published.
class Relay::Impl::Gate final : public RouterGate {
 public:
  /// `memberships`: of the tunnel; kept up to date.
  Gate(Relay::Impl& relay, Instant now, const IpAddress& address, std::uint32_t& memberships)
      : relay_(relay), now_(now), address_(address), memberships_(memberships) {}
  ~Gate() override;

  bool allows_group(const IpAddress& group) override;
  std::size_t take_memberships(std::size_t wanted) override;
  void release_memberships(std::size_t count) override;
  bool allows_channel(const IpAddress* source, const IpAddress& group) override;

 private:
  [[nodiscard]] Admission& admission() const { return relay_.options.shared->admission; }

  Relay::Impl& relay_;
  Instant now_;
  IpAddress address_;
  std::uint32_t& memberships_;
  /// The room of memberships that ended before, for later records of the same message.
  std::size_t spare_ = 0;
  /// Taken for a channel that this worker did not have; it has it by itself once the changes are published.
  std::vector<Channel> taken_;
};

}  // namespace amt
