#pragma once
/// The inside of `GatewayEngine`.

#include <memory>
#include <optional>
#include <vector>

#include "egress/channel_order.hh"
#include "engine/gateway/gateway_engine.hh"
#include "engine/gateway/gateway_inheritance.hh"
#include "engine/gateway/reception_watch.hh"
#include "engine/runtime/network_events.hh"
#include "forward/replication_table.hh"
#include "io/tun_device.hh"
#include "membership/merged.hh"

namespace amt {

/// The proxy of RFC 4605: downstream interfaces on one side, the tunnels to its relays as upstream on the other (P-k).
struct GatewayEngine::Impl {
  explicit Impl(Random& random) : wanted(KeyedHash(random)) {}

  // gateway_engine.cc
  SysResult<void> open_relays(Loop& loop, GatewayEngineOptions& options, const TunDevice& tun, Random& random);
  SysResult<void> add_downstreams(Loop& loop, const GatewayEngineOptions& options, TunDevice tun);
  void start();
  void watch_network(Loop& loop);
  void start_native(Loop& loop, const GatewayEngineOptions& options, Random& random);
  void on_changes(std::size_t number, std::span<const FilterChange> changes);
  void deliver(Instant now, std::span<const DataPacket> packets);

  // gateway_engine_state.cc
  /// What a process before has kept of one downstream.
  struct KeptDownstream {
    std::string interface {};
    std::string kind{};
    StateRecordReader record;
  };
  /// Error EBADMSG: the records are not those of a gateway.
  SysResult<void> inherit(const GatewayInheritance& inheritance);
  /// That of the process before, or a new one.
  SysResult<TunDevice> open_tun(const GatewayEngineOptions& options);
  /// Opened by the process before, or anew.
  SysResult<std::unique_ptr<LanLink>> open_lan(const std::string& interface);
  /// One whose interface is that of the process before.
  SysResult<void> restore(Downstream& downstream);
  /// The relays are told what is wanted, after the downstreams said so one by one.
  void compare_with_relays();

  /// What all of them want together (P-c, P-d).
  MergedMembership merged;
  /// Which of them want a packet, by their numbers (P-h): two hash probes, whatever the number of groups and LANs.
  ReplicationTable wanted;
  GroupMeter meter;
  ChannelOrder order;
  std::function<void(const SysError&)> on_lost = [](const SysError&) {};
  /// For each downstream what of one read of the tunnel goes to it.
  std::vector<std::vector<Bytes>> batches;
  /// While this process takes over; empty otherwise.
  std::vector<GivenDescriptor> given;
  std::optional<StateRecordReader> kept_relays;
  std::vector<KeptDownstream> kept_downstreams;
  /// Interfaces that are the same as in the process before.
  std::vector<std::string> adopted;
  bool is_taking_over = false;
  std::unique_ptr<RelaySet> relays;
  std::optional<NativeLans> native_lans;
  // Last: they end before what their handlers use.
  std::vector<std::unique_ptr<Downstream>> downstreams;
  std::optional<ReceptionWatch> reception;
  std::optional<InterfaceUpkeep> upkeep;
  std::optional<NetworkEvents> network;
};

}  // namespace amt
