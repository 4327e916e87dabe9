#pragma once
/// Every tunnel of a relay, by id and by endpoint.

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <deque>
#include <optional>
#include <vector>

#include "base/keyed_hash.hh"
#include "relay/relay.hh"

namespace amt {

/// One tunnel and what the relay alone needs of it.
struct TunnelRecord {
  RelayTunnel tunnel;
  /// Both protocols' groups (X-4.3-c).
  RouterState router;
  Instant expires;
  /// Of the last accepted Update. The same pair again is accepted without a look at the secret, also after that has
  /// changed: some gateways repeat their first pair for ever (VLC).
  wire::RequestNonce nonce;
  wire::ResponseMac mac;
  /// ICMP errors in a row, and when the first of them came.
  std::uint8_t unreachable = 0;
  Instant unreachable_since{};
};

/// References stay valid until their tunnel is erased. Ids are used again.
class TunnelStore {
 public:
  /// The index has room for `tunnels_max` from the start (six octets each, up to `kReservedMax`): to build it anew
  /// while it grows would hold everything up for hundreds of milliseconds at a million.
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
  [[nodiscard]] std::size_t size() const { return by_endpoint_.size(); }
  /// Tunnels whose endpoint has this address (R-6.1-b); in IPv6: is in its /64, which is one subscriber's.
  [[nodiscard]] std::size_t count_at(const IpAddress& address) const;

  /// `f(TunnelId)` for each.
  template <typename F>
  void for_each(F&& f) const {
    for (std::uint32_t i = 0; i < records_.size(); ++i) {
      if (records_[i]) f(TunnelId{i});
    }
  }

 private:
  /// The index holds ids alone; the endpoints stand in the records.
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(TunnelId id) const { return keyed((*store)[id].tunnel.endpoint); }
    std::size_t operator()(const Endpoint& endpoint) const { return keyed(endpoint); }
    KeyedHash keyed;
    const TunnelStore* store;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(TunnelId a, TunnelId b) const { return a == b; }
    bool operator()(TunnelId a, const Endpoint& b) const { return (*store)[a].tunnel.endpoint == b; }
    bool operator()(const Endpoint& a, TunnelId b) const { return (*store)[b].tunnel.endpoint == a; }
    const TunnelStore* store;
  };

  std::deque<std::optional<TunnelRecord>> records_;
  std::vector<TunnelId> free_;
  boost::unordered_flat_set<TunnelId, Hash, Equal> by_endpoint_;
  boost::unordered_flat_map<IpAddress, std::uint32_t, KeyedHash> per_address_;
};

}  // namespace amt
