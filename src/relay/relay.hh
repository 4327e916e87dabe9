#pragma once
/// The relay side of AMT (RFC 7450 §5.3).

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "amt/time.hh"
#include "base/outbound.hh"
#include "base/random.hh"
#include "base/secret_key.hh"
#include "forward/replication_table.hh"
#include "membership/router.hh"
#include "relay/admission.hh"
#include "relay/answer_budget.hh"
#include "relay/rate_limit.hh"
#include "relay/relay_counters.hh"
#include "wire/message.hh"

namespace amt {

/// Whether Queries carry the gateway fields and the G flag (DESIGN, "G flag").
enum class GatewayFieldsPolicy : std::uint8_t { kAuto, kAlways, kNever };

using RelaySecret = SecretKey;

struct RelayOptions;

/// What all workers of one relay share. An endpoint belongs to one worker, but what vouches for it and what bounds the
/// relay is one thing.
struct RelayShared {
  RelayShared(const RelayOptions& options, Random& random, Instant now);

  /// From which each period's secret is made; the first began at `since`.
  RelaySecret seed;
  Instant since{};
  /// What all of them together hold.
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
  /// What gateways may ask for; empty: any group.
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
  /// The row lasts at least so long: a burst, which may be forged, ends nothing.
  Duration unreachable_span = std::chrono::seconds(3);
  /// Copy the inner ECN field outside for gateways that set E (E-9601-f); else outer is always Not-ECT (E-9601-d).
  bool ecn = true;
  bool strict = false;  ///< refuse Updates without Router Alert (X-4.3-a)
  GatewayFieldsPolicy gateway_fields = GatewayFieldsPolicy::kAuto;
  /// Table sizes that are taken at once, whoever comes: what `kAuto` remembers of gateways, and the source prefixes
  /// that the limit of Updates tells apart. All forget when more come.
  std::size_t contacts_max = 8192;          ///< at least 1
  std::size_t limited_prefixes_max = 4096;  ///< at least 1, rounded up to sets of 4
  /// Given: fixed, shared by a fleet. Else random, changed every `secret_lifetime`.
  std::optional<RelaySecret> secret;
  Duration secret_lifetime = std::chrono::hours(2);
  /// Not given: the relay is alone.
  std::shared_ptr<RelayShared> shared;
  SsmRange ssm;
};

struct RelayTransmit {
  TunnelEndpoint to;
  LocalAddress from;
  ControlDatagram datagram;
};
struct Deadline {
  Instant at;
};
/// For the log and for whoever follows events: once a minute and reason.
struct RelayRefusal {
  RefusalReport report;
};
using RelayOutput = std::variant<Deadline, RelayTransmit, RelayRefusal>;

/// One tunnel. Public: what the data path needs, and its accounting, which the data path writes.
struct RelayTunnel {
  TunnelEndpoint endpoint;
  /// Where its Updates arrive and its Data leaves from (R-5.3.3.6.3-a).
  LocalAddress local;
  /// The E flag of the Request that its last Update answers: copy the inner ECN to the outer header (E-9601-f).
  bool ecn_capable = false;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

/// Decides, never sends (sans-I/O). One input, then `poll_output` until it returns the Deadline, then the next input.
/// Not thread-safe: one worker owns one Relay. `now` never runs backwards.
class Relay {
 public:
  Relay(const RelayOptions& options, Random& random, Instant now);
  ~Relay();

  /// Takes one AMT datagram (UDP payload). All output of the input before has been polled. `from`: the tunnel endpoint
  /// (§4.2.2). `to`: the local address it arrived at; the answer leaves from there (§5.3.3.2, §5.3.3.3). Error: why it
  /// was rejected, already counted; no tunnel and no membership has changed. Cost: a Request allocates nothing; the
  /// first accepted Update of an endpoint creates its tunnel.
  [[nodiscard]] Result<void, RelayReject> handle_datagram(Instant now, const TunnelEndpoint& from,
                                                          const LocalAddress& to, Bytes datagram);
  /// Fetches what a message from this endpoint will be held against, in two steps: for a batch of messages, each step
  /// for all of them before the first is handled. Beside a million tunnels hardly anything is in a cache.
  void prefetch_index(const Endpoint& from) const;
  void prefetch_tunnel(const Endpoint& from) const;
  /// Bounded: of very many timers that are due at once some are left, and the deadline is then in the past.
  /// For a Teardown that names an endpoint of another worker: whether it shall go there. Error: why not, counted here;
  /// else it is counted where it goes. Only what is authentic passes, and of one address no more than
  /// `updates_per_second_max`: whoever floods one worker does not flood the others.
  [[nodiscard]] Result<void, RelayReject> admit_teardown(Instant now, const wire::Teardown& teardown);
  void handle_timeout(Instant now);
  [[nodiscard]] RelayOutput poll_output();
  /// The next group whose merged membership is not what was last polled: join or leave upstream. It may be polled at
  /// any time, for all groups or for some: what changes meanwhile is one change. Cost: the sources of the group, of all
  /// tunnels.
  [[nodiscard]] std::optional<FilterChange> poll_upstream();

  /// Ends all tunnels; the upstream leaves come out of `poll_upstream` (R-5.3.4-a), made one by one as they are polled.
  /// Every datagram that comes later is rejected, and no packet has a target.
  void shutdown(Instant now);

  /// Data path: who gets a packet from `source` to `group`. Valid until the next input.
  [[nodiscard]] ReplicationTargets targets(const IpAddress& source, const IpAddress& group) const;
  [[nodiscard]] RelayTunnel& tunnel(TunnelId id);
  /// Accounting of upstream datagrams, for `for_each_channel`: at (S,G) where a tunnel includes S, else at (*,G).
  /// Constant cost; once per batch of one channel will do.
  void count_channel(const IpAddress& source, const IpAddress& group, std::uint64_t packets, std::uint64_t octets);
  /// A gateway's port is gone: a run of ICMP Destination Unreachable for what was sent to `endpoint` (R-5.3.3.6.4-a,b),
  /// "fragmentation needed" not among them; one more than `unreachable_max` in a row, spread over `unreachable_span`,
  /// with no accepted Update between them, end the tunnel, if the last one is proven: it quotes what no outsider can
  /// know. The others may be forged.
  void handle_unreachable(Instant now, const TunnelEndpoint& endpoint, bool is_proven);

  /// What is wanted of upstream now, group by group: for an upstream that begins anew.
  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

  /// Any thread, and so may counters and rejects be read.
  [[nodiscard]] std::size_t tunnel_count() const;
  /// Port 0: at any port of that address, with any worker.
  [[nodiscard]] bool has_tunnel_at(const Endpoint& endpoint) const;
  /// Null: none. Valid until the next input.
  [[nodiscard]] const RelayTunnel* tunnel_at(const Endpoint& endpoint) const;
  [[nodiscard]] Counters<RelayCounter>& counters();
  [[nodiscard]] const Counters<RelayCounter>& counters() const;
  [[nodiscard]] const Counters<RelayReject>& rejects() const;

  /// Status. `expires`: when the endpoint ages out.
  void for_each_tunnel(const std::function<void(const RelayTunnel&, const RouterState&, Instant expires)>& visit) const;
  /// Channels with at least one tunnel: (S,G) for every included source, (*,G) where someone excludes.
  struct ChannelStatus {
    Channel channel;
    std::size_t tunnels = 0;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  void for_each_channel(const std::function<void(const ChannelStatus&)>& visit) const;

  /// The same a slice at a time: whatever happens between two slices, no tunnel that lives on is left out or comes
  /// twice. Looks at the tunnels with numbers from `from` on, at `numbers_max` numbers at most, free ones too. Where to
  /// go on; nothing: that was the last. `visit` false: enough for now, this one comes again.
  struct TunnelView {
    std::uint32_t number = 0;  ///< used again when the tunnel has ended
    const RelayTunnel& tunnel;
    const RouterState& router;
    Instant since;    ///< its first Update
    Instant heard;    ///< its last Update
    Instant expires;  ///< unless another comes
  };
  [[nodiscard]] std::optional<std::uint32_t> visit_tunnels(std::uint32_t from, std::size_t numbers_max,
                                                           const std::function<bool(const TunnelView&)>& visit) const;
  /// As `ReplicationTable::visit_channels`.
  [[nodiscard]] bool visit_channels(ChannelCursor& cursor, std::size_t channels_max,
                                    const std::function<void(const ChannelStatus&)>& visit) const;
  /// Nothing: no tunnel wants it.
  [[nodiscard]] std::optional<ChannelStatus> channel(const Channel& channel) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
