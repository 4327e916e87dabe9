#pragma once
/// How many Requests and Discoveries are answered that may be forged (X-4.1-a, R-6.1-a).

#include <cstdint>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "base/brief_lock.hh"
#include "base/keyed_hash.hh"
#include "ip/rate_limit.hh"
#include "relay/refusal_log.hh"
#include "relay/refused_asks.hh"

namespace amt {

/// Answers a second; 0: no limit.
struct AnswerLimits {
  /// To one endpoint; to one address (IPv6: one /64) a quarter more.
  std::uint32_t queries_per_address_max = 200;
  std::uint32_t advertisements_per_address_max = 100;
  /// Of both kinds together, to one /24 (IPv6: one /48), and to all.
  std::uint32_t per_prefix_max = 1000;
  std::uint32_t total_max = 5000;
  /// The number of endpoints that are distinguished, and of addresses, and of prefixes; at least 1, rounded up to sets
  /// of 4.
  std::size_t sources_max = 4096;
};

/// The budget of a relay, all workers together, for answers to endpoints that have no tunnel. A forger can ask in
/// another host's name, and the answer, two to three times as large, goes to that host.
///
/// The order when the total is short: first prefixes from which a gateway has once proved that it receives (by an
/// Update with a good MAC), then prefixes that were quiet, then the others. In the latter two, messages that were
/// refused and are repeated (`RefusedAsks`) go before first messages. An endpoint that has proved it is not held to the
/// limit of its address, which a forger may be using up. An address and a prefix keep a fifth of their buckets for
/// repeated messages.
///
/// The remaining weakness: a forger of a newcomer's address with ever new ports costs the newcomer its first Requests.
/// A forger that also repeats each of them makes it wait for its share of that address's answers. A Request that was
/// never answered cannot be distinguished from a forged one: RFC 7450 has no field in it that a relay has given.
///
/// Any thread; a lock for some hundred nanoseconds a call.
class AnswerBudget {
 public:
  enum class Kind : std::uint8_t { kQuery, kAdvertisement };

  AnswerBudget(const AnswerLimits& limits, const KeyedHash& hash);

  /// The refusal, if `to` is to have no answer; that counts for its prefix alone.
  /// `nonce`: of the Request or Discovery.
  [[nodiscard]] std::optional<Refusal> take(Instant now, const Endpoint& to, Kind kind, std::uint32_t nonce);
  /// From now on; `sources_max` stays.
  void set_limits(const AnswerLimits& limits);
  /// This endpoint received a Query: its Update had the Query's MAC.
  void note_proved(Instant now, const Endpoint& endpoint);

 private:
  /// Token buckets of one size in a table of fixed size.
  class Buckets {
   public:
    Buckets(std::uint32_t per_second, std::size_t count);
    void set_limit(std::uint32_t per_second);
    /// Null: no limit. Else the bucket of `tag`, which takes the place of the one that was quiet longest.
    [[nodiscard]] TokenBucket* of(Instant now, std::uint64_t tag);
    [[nodiscard]] Duration interval() const { return interval_; }
    /// Whether `of` would find it.
    [[nodiscard]] bool knows(std::uint64_t tag) const;

   private:
    static constexpr std::size_t kWays = 4;
    struct Entry {
      std::uint64_t tag = 0;
      TokenBucket tokens;
      [[nodiscard]] Instant full_at() const { return tokens.full_at(); }
    };
    using Set = std::array<Entry, kWays>;

    Duration interval_{};
    std::size_t sets_count_;
    /// None while there is no limit.
    std::vector<Set> sets_;
  };
  struct PerKind {
    Buckets of_endpoints;
    Buckets of_addresses;
  };

  KeyedHash hash_;
  BriefLock lock_;
  PerKind queries_;
  PerKind advertisements_;
  Buckets of_prefixes_;
  Duration total_interval_{};
  TokenBucket total_;
  /// The buckets only say when it was.
  Buckets proved_endpoints_;
  Buckets proved_prefixes_;
  RefusedAsks refused_;
};

}  // namespace amt
