#pragma once
/// `--native`: what is wanted is joined on the local network as well, and asked of the relays only while it does not
/// come that way (NativePreference decides).

#include <functional>
#include <optional>

#include "amt/endpoint.hh"
#include "engine/event_loop.hh"
#include "engine/relay_set.hh"
#include "gateway/duplicate_filter.hh"
#include "gateway/native_preference.hh"

namespace amt {

/// Stands between those who want channels and their relays. Lives on its event loop's thread. Whoever receives passes
/// each packet, and calls `settle` after each read.
class NativeFirst {
 public:
  /// Joins natively, INCLUDE({}) leaves.
  using Join = std::function<void(const IpAddress& group, const SourceFilter& filter)>;
  enum class Way : std::uint8_t { kTunnel, kNative };

  /// `relays` must outlive it.
  NativeFirst(EventLoop& loop, RelaySet& relays, Random& random, Join join);

  /// As RelaySet's.
  [[nodiscard]] bool set_membership(const IpAddress& group, const SourceFilter& filter);

  /// One packet arrived. False: it is not wanted, or was delivered by the other way.
  [[nodiscard]] bool accept(Instant now, Way way, const DatagramAddresses& addresses, Bytes datagram);
  [[nodiscard]] bool accept(Instant now, Way way, const Endpoint& source, const Endpoint& destination, Bytes payload);
  /// Does what those packets led to.
  void settle();
  void shutdown();

  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
    preference_.for_each_wanted(visit);
  }
  void for_each_channel(const std::function<void(const Channel& channel, ServedBy served)>& visit) const {
    preference_.for_each_channel(visit);
  }
  /// Delivered natively.
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  /// Not delivered, since the other way had brought the same.
  [[nodiscard]] std::uint64_t duplicates() const { return duplicates_dropped_; }

 private:
  template <typename IsNew>
  bool accept_as(Instant now, Way way, const IpAddress& source, const IpAddress& group, IsNew is_new);
  [[nodiscard]] DuplicateFilter& remembered();

  RelaySet& relays_;
  Random& random_;
  Join join_;
  NativePreference preference_;
  /// While anything may come twice.
  std::optional<DuplicateFilter> duplicates_;
  std::uint64_t packets_ = 0;
  std::uint64_t duplicates_dropped_ = 0;
  Timer timer_;
};

}  // namespace amt
