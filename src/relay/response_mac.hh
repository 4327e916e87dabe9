#pragma once
/// The Response MAC and the private secrets behind it (RFC 7450 §5.3.5, §5.3.6).

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "base/random.hh"
#include "relay/relay_options.hh"
#include "wire/message.hh"

namespace amt {

/// The input of a MAC: the endpoint that asked, its nonce, and whether its Request had the E flag.
///
/// RFC 9601 wants the E flag remembered per gateway and RFC 7450 wants Requests stateless: with the flag under the MAC
/// the gateway carries it for the relay, no other host can set it, and no message overwrites it (X-4.2-b).
/// The protocol (P) is not under it: a MAC from an IGMP Query also validates an MLD Update (X-4.4-d).
struct MacSubject {
  Endpoint endpoint;
  wire::RequestNonce nonce;
  bool ecn_capable = false;
};

/// The first 48 bits of SipHash-2-4 under `secret` over: address (16 octets, IPv4 as IPv4-compatible, as a Teardown
/// carries it: X-4.4-a,b), port, nonce (both in network order), and one octet that is 2 for E and else 0.
[[nodiscard]] wire::ResponseMac response_mac(const RelaySecret& secret, const MacSubject& subject);

/// The secret that signs, and those that are accepted: the keys of a fleet, or random ones of this relay alone, the
/// current one and the one before.
class MacSecrets {
 public:
  /// Without `options.keys` each secret lives for `options.secret_lifetime`, and all come from `shared`, so that
  /// workers agree at any time without a word.
  MacSecrets(const RelayOptions& options, const RelayShared& shared);

  /// When the secret is due to change; `kNoDeadline`: it is not.
  [[nodiscard]] Instant next_change() const { return next_change_; }
  /// Changes the secret if that is due. True: it did.
  bool advance(Instant now);

  /// In place of the keys before; not empty.
  void set_keys(Instant now, std::vector<RelayKey> keys);

  [[nodiscard]] wire::ResponseMac compute(const MacSubject& subject) const;

  /// The E flag that `mac` was made with, or nothing when it is none of ours. A random secret
  /// counts until two query intervals after it has changed (R-5.3.3.4-f), a key of a fleet always. Comparison takes the
  /// same time for every wrong MAC.
  [[nodiscard]] std::optional<bool> verify(Instant now, const Endpoint& endpoint, wire::RequestNonce nonce,
                                           const wire::ResponseMac& mac) const;

 private:
  /// The secret of a period, counted from 0. Knowing one period's secret does not reveal another's.
  [[nodiscard]] RelaySecret secret_of(std::uint64_t period) const;

  /// The one that signs now.
  void choose_key(Instant now);

  /// By `signs_from`; none where secrets are random.
  std::vector<RelayKey> keys_;
  RelaySecret seed_;
  Instant since_{};
  RelaySecret current_;
  RelaySecret previous_;
  Duration lifetime_;
  Duration previous_lifetime_;
  Instant next_change_ = kNoDeadline;
  /// The end of `previous_`; before any change there is none.
  Instant previous_until_ = Instant::min();
};

}  // namespace amt
