#pragma once
/// The options of a relay, and the state that its workers share.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/random.hh"
#include "base/secret_key.hh"
#include "ip/address.hh"
#include "ip/rate_limit.hh"
#include "relay/admission.hh"
#include "relay/answer_budget.hh"
#include "relay/refusal_log.hh"

namespace amt {

/// Whether Queries carry the gateway fields and the G flag (DESIGN, "G flag").
enum class GatewayFieldsPolicy : std::uint8_t { kAuto, kAlways, kNever };

using RelaySecret = SecretKey;

/// One of the keys that the relays of a fleet share.
struct RelayKey {
  RelaySecret secret;
  /// From when on it signs. Before that, and after a younger one has taken over, it is accepted.
  Instant signs_from = Instant::min();
};
/// More cost a forger's message too much.
inline constexpr std::size_t kRelayKeysMax = 8;

struct RelayOptions;

/// The state that all workers of one relay share. An endpoint belongs to one worker, but secrets and limits belong to
/// the relay.
struct RelayShared {
  RelayShared(const RelayOptions& options, Random& random, Instant now);

  /// From which each period's secret is made; the first began at `since`.
  RelaySecret seed;
  Instant since{};
  /// The limits of `options`, from now on. Any thread.
  void set_limits(const RelayOptions& options);

  /// The holdings of all workers together.
  Admission admission;
  AnswerBudget answers;
  RateLimiter updates;
  RefusalLog refusals;
};

struct RelayOptions {
  /// The unicast address that an Advertisement names, per family (R-5.3.2-b); a Discovery of a family without one is
  /// ignored.
  std::optional<IpAddress> advertise_v4;
  std::optional<IpAddress> advertise_v6;
  std::uint8_t robustness = 2;                          ///< 1..7
  Duration query_interval = std::chrono::seconds(125);  ///< 1..31744 s
  AdmissionLimits limits;
  /// Addresses that are being given up: as if the relay drained, for gateways that send to one of these.
  std::vector<LocalAddress> retired{};
  /// Groups that gateways may join; empty: any group.
  std::vector<Prefix> allowed_groups;
  std::size_t groups_per_tunnel_max = 512;
  std::size_t sources_per_group_max = 128;
  /// Of an any-source group, over all tunnels: with more it is asked for as a whole upstream (`MergeOptions`).
  std::size_t sources_listed_max = 128;
  /// Of answers to endpoints without a tunnel. One with a tunnel has as many Queries to itself as an address.
  AnswerLimits answers;
  /// Tokens for Updates with a good MAC, of one address (IPv6: one /64): one for a message, and one more for each 64
  /// records and sources that it makes the relay look at. 0: no limit.
  std::uint32_t updates_per_second_max = 1000;
  /// ICMP Destination Unreachable in a row that a tunnel outlives (R-5.3.3.6.4-b).
  std::uint8_t unreachable_max = 8;
  /// The series lasts at least this long: a burst, which may be forged, ends no tunnel.
  Duration unreachable_span = std::chrono::seconds(3);
  /// Copy the inner ECN field outside for gateways that set E (E-9601-f); else outer is always Not-ECT (E-9601-d).
  bool ecn = true;
  bool strict = false;  ///< refuse Updates without Router Alert (X-4.3-a)
  GatewayFieldsPolicy gateway_fields = GatewayFieldsPolicy::kAuto;
  /// Sizes of tables that are allocated at once: the gateways that `kAuto` remembers, and the source prefixes that the
  /// limit of Updates distinguishes. Each table forgets its oldest entries when more come.
  std::size_t contacts_max = 8192;          ///< at least 1
  std::size_t limited_prefixes_max = 4096;  ///< at least 1, rounded up to sets of 4
  /// Given: shared by a fleet; `kRelayKeysMax` at most, one of which signs now. Else random, changed every
  /// `secret_lifetime`.
  std::vector<RelayKey> keys;
  Duration secret_lifetime = std::chrono::hours(2);
  /// Keep books of each channel of each tunnel, for `Relay::take_events`.
  bool with_events = false;
  /// Not given: the relay is alone.
  std::shared_ptr<RelayShared> shared;
  SsmRange ssm;
};

}  // namespace amt
