#pragma once
/// Every tunnel of a relay, by id and by endpoint.

#include <optional>

#include "base/id_index.hh"
#include "base/keyed_hash.hh"
#include "base/slab.hh"
#include "forward/replication_table.hh"
#include "ip/rate_limit.hh"
#include "membership/router.hh"
#include "relay/relay_tunnel.hh"
#include "wire/message.hh"

namespace amt {

/// One tunnel with the state that only the relay needs.
struct TunnelRecord {
  RelayTunnel tunnel;
  /// Both protocols' groups (X-4.3-c).
  RouterState router;
  Instant expires;
  /// When its first Update came.
  Instant since;
  /// Of the last accepted Update. The same pair again is accepted without a look at the secret, also after that has
  /// changed: some gateways repeat their first pair for ever (VLC).
  wire::RequestNonce nonce;
  wire::ResponseMac mac;
  /// For Requests of this endpoint.
  TokenBucket requests{};
  /// As the relay's admission counts them.
  std::uint32_t memberships = 0;
  /// ICMP errors in a row, and when the first of them came.
  std::uint8_t unreachable = 0;
  Instant unreachable_since{};
};

/// References stay valid until their tunnel is erased. Ids are used again.
class TunnelStore {
 public:
  /// The index has room for `tunnels_max` from the start (eleven octets each, up to `kReservedMax`): it never grows.
  TunnelStore(const KeyedHash& hash, std::size_t tunnels_max);
  static constexpr std::size_t kReservedMax = 1U << 20;
  TunnelStore(const TunnelStore&) = delete;
  TunnelStore& operator=(const TunnelStore&) = delete;

  /// `record.tunnel.endpoint` is new.
  TunnelId insert(TunnelRecord&& record);
  void erase(TunnelId id);

  [[nodiscard]] std::optional<TunnelId> find(const Endpoint& endpoint) const;
  [[nodiscard]] TunnelRecord& operator[](TunnelId id);
  [[nodiscard]] const TunnelRecord& operator[](TunnelId id) const;
  [[nodiscard]] std::size_t size() const { return records_.size(); }

  /// Prefetches the records that a message from this endpoint will read. Two steps, for a batch of messages one after
  /// the other: the second step reads the slots that the first has fetched.
  void prefetch_index(const Endpoint& endpoint) const;
  void prefetch_record(const Endpoint& endpoint) const;

  /// `f(TunnelId)` for each.
  template <typename F>
  void for_each(F&& f) const {
    records_.for_each([&](std::uint32_t id) { f(TunnelId{id}); });
  }
  /// Every id is below this.
  [[nodiscard]] std::uint32_t end() const { return records_.end(); }
  [[nodiscard]] bool contains(TunnelId id) const { return records_.contains(static_cast<std::uint32_t>(id)); }
  /// Forgets all.
  void clear();

 private:
  KeyedHash hash_;
  Slab<TunnelRecord> records_;
  IdIndex by_endpoint_;
};

}  // namespace amt
