#pragma once
/// A running gateway's relays: the machine `Client` with its sockets, its look-ups and its timer.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/state_record.hh"
#include "client/client.hh"
#include "engine/runtime/dns_client.hh"
#include "engine/runtime/loop.hh"
#include "engine/runtime/named_descriptors.hh"
#include "sys/error.hh"

namespace amt {

struct RelaySetOptions {
  ClientOptions client;
  /// For DRIAD and DNS-SD; none: they are not used.
  std::unique_ptr<DnsClient> dns;
  /// A tunnel to this relay begins.
  std::function<void(const IpAddress& relay)> on_relay = {};
  /// A message for a person; none: it is logged.
  std::function<void(const ClientEvent& event)> on_event = {};
  /// With `client.native`: of `group` this is to be joined on the local network from now on; INCLUDE({}): nothing.
  std::function<void(const IpAddress& group, const SourceFilter& filter)> on_join_natively = {};
};

/// What another process gives to go on with.
struct KeptRelays {
  /// What `RelaySet::save` wrote there.
  StateRecordReader* record = nullptr;
  /// Those of its sockets are taken out.
  std::vector<GivenDescriptor>* descriptors = nullptr;
};

/// Lives on its loop's thread.
class RelaySet {
 public:
  /// Wanted data, each packet once, in order of arrival; valid during the call.
  using PacketHandler = std::function<void(Instant now, const ClientPackets& packets)>;

  /// Error: a socket for the relays that were given cannot be had; nothing is left behind. With `kept` also EBADMSG:
  /// that is damaged.
  static SysResult<std::unique_ptr<RelaySet>> create(Loop& loop, RelaySetOptions options, Random& random,
                                                     PacketHandler on_packets, const KeptRelays& kept = {});
  ~RelaySet();

  /// For another process, which goes on so that no relay notices. Not with `ClientOptions::payloads`.
  void save(StateRecordWriter& out) const;
  void append_descriptors(std::vector<LentDescriptor>& out) const;

  /// INCLUDE({}) leaves. False: refused, see Client::set_membership.
  [[nodiscard]] bool set_membership(const IpAddress& group, const SourceFilter& filter);
  /// Data of the local network, see Client::handle_native.
  void handle_native(Instant now, std::span<const Bytes> datagrams);
  void handle_native(Instant now, std::span<const Payload> payloads);
  /// Teardown or leave (R-5.2.3.8-a) is sent to each relay before this returns.
  void shutdown();

  [[nodiscard]] const Client& client() const;
  [[nodiscard]] Instant started() const;
  /// Datagrams that the kernel dropped for want of socket buffer, over all tunnels, those that are closed too.
  [[nodiscard]] std::uint64_t receive_drops() const;

 private:
  struct Impl;
  explicit RelaySet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
