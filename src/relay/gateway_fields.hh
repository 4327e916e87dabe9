#pragma once
/// Whether a Query carries the gateway fields and the G flag, which some gateways cannot bear.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/keyed_hash.hh"
#include "relay/relay_options.hh"
#include "wire/message.hh"

namespace amt {

/// RFC 7450 §5.3.3.3: a relay that supports Teardown MUST set G and fill in the fields. It does, except towards
/// gateways that break on it and know no Teardown (policy `kAuto`): * VLC 4 refuses an IPv4 Query that is not exactly
/// 48 octets; its Request repeats the nonce of its Discovery. * The Linux kernel's gateway reads the flag bits mirrored
/// and drops a Query with G; its MLD Request has P as 0x80. * js4ms dies on G; it counts its Request Nonces from 1. *
/// Any other: a second Request for the same protocol soon after a Query with G that drew no Update. The latest messages
/// of an endpoint are kept in a small table of fixed size whose entries are overwritten. It is no tunnel state, and
/// forged Requests can only weaken the recognition.
class GatewayFieldsChoice {
 public:
  /// `query_interval`: as Queries announce it. A Request that comes this long after the last one is a new cycle and no
  /// sign of trouble, though a gateway with nothing to report never sends an Update. `contacts_max`: size of the table,
  /// at least 1; it is taken at once, and only for `kAuto`.
  GatewayFieldsChoice(GatewayFieldsPolicy policy, const KeyedHash& hash,
                      Duration query_interval = std::chrono::seconds(125),
                      std::size_t contacts_max = RelayOptions{}.contacts_max);

  void note_discovery(const TunnelEndpoint& from, wire::DiscoveryNonce nonce);
  /// The decision for the Query that answers `request`; it is remembered as given.
  [[nodiscard]] bool for_request(Instant now, const TunnelEndpoint& from, const wire::Request& request);
  /// Asked before `for_request`: this MLD Request shows that its gateway dropped the IGMP Query that was sent with the
  /// fields for the same nonce. It waits for that one, with a timeout that doubles; so the Query is due again, without.
  [[nodiscard]] bool spoilt_igmp_query(const TunnelEndpoint& from, const wire::Request& request);
  /// An authenticated Update came: its gateway can read the Query that it was sent.
  void note_update(const TunnelEndpoint& from);

  static constexpr std::uint32_t kCountedNonceMax = 0xffff;
  /// Retransmissions come after 1 s, then after up to 2, 4 and 8 s (R-5.2.3.5.3-a). Less at short query intervals.
  static constexpr Duration kSoon = std::chrono::seconds(10);
  /// A gateway that once answered a Query with G is given this many chances before that is held a mistake (another
  /// gateway may have come by the port); any other gets one.
  static constexpr std::uint8_t kUnansweredMaxWhenProven = 3;
  /// How long a gateway that showed itself by its flags goes without G.
  static constexpr Duration kBreaksFor = std::chrono::hours(1);
  /// The same for one that only asked again: its Query may just have been lost, and without G there is no Teardown. One
  /// that does break on G loses a retransmission of each cycle by that.
  static constexpr Duration kMayBreakFor = std::chrono::minutes(1);

 private:
  struct Contact {
    std::uint64_t tag = 0;
    std::optional<wire::DiscoveryNonce> discovery;
    /// Found unable to read G; holds for all its Requests until then.
    Instant breaks_until = Instant::min();
    /// An Update answered a Query with G.
    bool proven = false;
    /// Per protocol: Queries with G in a row, each soon after the one before, that drew no Update.
    std::array<std::uint8_t, 2> unanswered{};
    std::array<Instant, 2> asked{};
    /// Of the last IGMP Request that was answered with G.
    wire::RequestNonce igmp_nonce{};
  };

  Contact& contact(const TunnelEndpoint& from);
  static void mark_as_breaking(Instant until, Contact& contact);
  bool breaks_on_fields(Instant now, Contact& contact, const wire::Request& request) const;

  GatewayFieldsPolicy policy_;
  Duration soon_;
  KeyedHash hash_;
  std::vector<Contact> contacts_;
};

}  // namespace amt
