#pragma once
/// Restores a state document into the relays of a process that begins.

#include <functional>
#include <string_view>
#include <vector>

#include "relay/relay.hh"
#include "relay/state_document.hh"

namespace amt {

/// Before the first input of these relays. Their shared state has been taken over already, because the relays are made
/// with it.
class RelayRestorer final : public StateVisitor {
 public:
  struct Target {
    /// One for each worker. Counters of the whole relay go to the first one.
    std::vector<Relay*> relays;
    std::function<std::size_t(const Endpoint& endpoint)> worker_of;
    /// Tunnels that speak to another address are left out: nothing can be sent to them.
    std::vector<LocalAddress> addresses;
  };
  /// Timers that have run out by `now` take effect at the first `Relay::handle_timeout`.
  RelayRestorer(Target target, Instant now);

  void visit(const SharedState& shared) override;
  void visit(const TunnelState& tunnel) override;
  void visit(const TunnelUse& use) override;
  void visit(const Relay::ChannelStatus& channel) override;
  void visit(std::string_view counter, std::uint64_t value) override;

  /// After the last record. Channels are last: only then have they all their tunnels.
  void finish();

  [[nodiscard]] std::size_t restored() const { return restored_; }
  /// They do not fit the limits, or speak to an address that is not there.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  [[nodiscard]] Relay& relay_of(const Endpoint& endpoint) { return *target_.relays[target_.worker_of(endpoint)]; }

  Target target_;
  Instant now_;
  std::size_t restored_ = 0;
  std::size_t left_out_ = 0;
  std::vector<Relay::ChannelStatus> channels_;
};

}  // namespace amt
