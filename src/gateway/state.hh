#pragma once
/// The states of a gateway, as alternatives that each have only their own fields.

#include <array>
#include <optional>
#include <variant>

#include "gateway/gateway.hh"

namespace amt::gateway_state {

/// The session that a Query began: the key to Updates and Teardowns (R-5.2.3.5.4-h).
struct Session {
  wire::RequestNonce nonce;
  wire::ResponseMac mac;
  /// This gateway's endpoint as the relay sees it; given if and only if G was set.
  std::optional<Endpoint> gateway;
  std::uint8_t robustness = 2;
  /// The relay wrote `gateway` IPv4-mapped, and knows it again only so (`wire::GatewayFields`).
  bool gateway_is_mapped = false;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.nonce.value, self.mac.octets, self.gateway, self.robustness, self.gateway_is_mapped);
  }
};

/// The nonces of one unanswered series of Requests: one for those with the E flag, one for the retries without it.
/// The IGMP and the MLD Request of a cycle share them: the Linux kernel's relay knows only the last nonce of a gateway.
struct Series {
  wire::RequestNonce with_ecn;
  wire::RequestNonce plain;

  [[nodiscard]] bool contains(wire::RequestNonce nonce) const { return nonce == with_ecn || nonce == plain; }

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.with_ecn.value, self.plain.value);
  }
};

/// Nothing is wanted of this protocol.
struct Dormant {
  template <typename Io, typename Self>
  static void fields(Io&, Self&) {}
};

/// A Request is out.
struct Asking {
  Series series;
  std::uint32_t tries = 0;
  bool sent_with_ecn = false;
  bool sent_plain = false;
  bool last_mirrored = false;
  Instant last_sent;
  Instant next_send;
  /// Of the last Query, while it is being refreshed: Updates go on under it (R-5.2.3.6.2-b).
  std::optional<Session> session;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.series, self.tries, self.sent_with_ecn, self.sent_plain, self.last_mirrored, self.session);
    io.moments(self.last_sent, self.next_send);
  }
};

/// The Query has come; the next Request is due at `query_at` (R-5.2.3.5.4-j).
struct Settled {
  Session session;
  Instant query_at;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.session);
    io.moments(self.query_at);
  }
};

/// The update cycle of one protocol (R-4.2.1.2-a).
using Cycle = std::variant<Dormant, Asking, Settled>;

inline constexpr std::array kProtocols{wire::Protocol::kIgmp, wire::Protocol::kMld};
[[nodiscard]] constexpr std::size_t index(wire::Protocol protocol) { return static_cast<std::size_t>(protocol); }
[[nodiscard]] constexpr wire::Protocol other(wire::Protocol protocol) {
  return protocol == wire::Protocol::kIgmp ? wire::Protocol::kMld : wire::Protocol::kIgmp;
}
[[nodiscard]] constexpr wire::Protocol protocol_of(Family family) {
  return family == Family::kIpv4 ? wire::Protocol::kIgmp : wire::Protocol::kMld;
}

/// The session that an Update of this cycle goes under, if any.
[[nodiscard]] const Session* session_of(const Cycle& cycle);

/// The state of one relay that is kept for when it is found again after it was lost.
struct RelayKnowledge {
  Endpoint endpoint;
  /// Answered a Request with the E flag.
  bool ecn_works = false;
  /// Series in which it answered only the Request without the E flag; from `kEcnFailuresMax` on E is not tried again.
  std::uint8_t ecn_failures = 0;
  /// The last of these series: IGMP and MLD share one and count it once.
  wire::RequestNonce ecn_failed_in;
  /// Answered the MLD Request that carries P where the Linux kernel looks for it.
  bool mirrored = false;
  /// An Update was sent to it: it may hold state.
  bool reported = false;
  /// Of the last Update under a Query that had the gateway fields (R-5.2.3.7.2-a); has `gateway`.
  std::optional<Session> teardown;
  /// This gateway's endpoint by the last Query that named it.
  std::optional<Endpoint> seen_as;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.endpoint, self.ecn_works, self.ecn_failures, self.ecn_failed_in.value, self.mirrored, self.reported,
       self.teardown, self.seen_as);
    if constexpr (Io::kReads) {
      if (self.teardown && !self.teardown->gateway) io.fail();
    }
  }
};
inline constexpr std::uint8_t kEcnFailuresMax = 2;

/// Nothing to do: no subscription and no wish to ask without one; or shut down.
struct Idle {
  bool stopped = false;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.stopped);
  }
};

/// All candidates had their turn and the last one takes no new gateways: a pause before the next round.
struct Resting {
  Instant until;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io.moments(self.until);
  }
};

struct Discovering {
  Endpoint to;
  wire::DiscoveryNonce nonce;
  std::uint32_t tries = 0;
  Instant last_sent;
  Instant next_send;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.to, self.nonce.value, self.tries);
    io.moments(self.last_sent, self.next_send);
  }
};

/// A relay is known; it is asked, or it serves us.
struct Attached {
  RelayKnowledge relay;
  std::array<Cycle, 2> cycles;
  bool answered = false;
  bool silence_reported = false;
  /// Data stopped, and the relay has not answered since.
  bool stop_reported = false;

  [[nodiscard]] Cycle& cycle(wire::Protocol protocol) { return cycles[index(protocol)]; }
  [[nodiscard]] const Cycle& cycle(wire::Protocol protocol) const { return cycles[index(protocol)]; }
  [[nodiscard]] bool asking() const;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.relay, self.cycles[0], self.cycles[1], self.answered, self.silence_reported, self.stop_reported);
  }
};

using State = std::variant<Idle, Resting, Discovering, Attached>;

/// Teardown repeats that are still to be sent (R-5.2.3.7.2-c).
struct TeardownRepeats {
  Endpoint to;
  Session session;
  std::uint8_t left = 0;
  Instant next;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.to, self.session, self.left);
    io.moments(self.next);
    if constexpr (Io::kReads) {
      if (self.left == 0 || !self.session.gateway) io.fail();
    }
  }
};

}  // namespace amt::gateway_state
