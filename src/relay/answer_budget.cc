#include "relay/answer_budget.hh"

#include <algorithm>

namespace amt {
namespace {

constexpr std::uint8_t kPrefixBitsV4 = 24;
/// For each distinguished source: 2^21 of the default.
constexpr std::size_t kRefusedBits = 512;
constexpr std::uint8_t kPrefixBitsV6 = 48;

/// A prefix is quiet that has used up no more than a twentieth of its bucket.
constexpr Duration kQuiet = TokenBucket::kDepth / 20;
/// How much of the total may be used up, by class.
constexpr Duration kDepthProved = TokenBucket::kDepth;
constexpr Duration kDepthQuietRepeated = TokenBucket::kDepth * 7 / 8;
constexpr Duration kDepthQuiet = TokenBucket::kDepth * 3 / 4;
constexpr Duration kDepthOthersRepeated = TokenBucket::kDepth * 17 / 32;
constexpr Duration kDepthOthers = TokenBucket::kDepth / 2;
/// Of an address's or prefix's bucket: first messages leave a fifth of it to repeated ones.
constexpr Duration kShareDepth = TokenBucket::kDepth;
constexpr Duration kShareDepthRepeated = TokenBucket::kDepth * 5 / 4;

Prefix prefix_of(const IpAddress& address) {
  const std::uint8_t bits = address.is_v4() ? kPrefixBitsV4 : kPrefixBitsV6;
  return {base_address({address, bits}), bits};
}

/// 0: no limit.
Duration interval_of(std::uint32_t per_second) {
  return per_second == 0 ? Duration::zero() : TokenBucket::kDepth / per_second;
}

/// Of an address, beyond the limit of one of its endpoints: a flood in the name of that one leaves it to the others.
std::uint32_t and_a_quarter(std::uint32_t per_second) {
  constexpr std::uint32_t kQuarter = 4;
  return per_second + (per_second + kQuarter - 1) / kQuarter;
}

}  // namespace

AnswerBudget::Buckets::Buckets(std::uint32_t per_second, std::size_t count) : sets_count_((count + kWays - 1) / kWays) {
  set_limit(per_second);
}

void AnswerBudget::Buckets::set_limit(std::uint32_t per_second) {
  interval_ = interval_of(per_second);
  sets_.resize(per_second == 0 ? 0 : sets_count_);
}

TokenBucket* AnswerBudget::Buckets::of(Instant now, std::uint64_t tag) {
  if (sets_.empty()) return nullptr;
  Set& set = sets_[tag % sets_.size()];
  auto entry = std::ranges::find(set, tag, &Entry::tag);
  if (entry == set.end()) {
    entry = std::ranges::min_element(set, {}, &Entry::full_at);
    *entry = {tag, TokenBucket(now)};
  }
  return &entry->tokens;
}

bool AnswerBudget::Buckets::knows(std::uint64_t tag) const {
  if (sets_.empty()) return false;
  const Set& set = sets_[tag % sets_.size()];
  return std::ranges::find(set, tag, &Entry::tag) != set.end();
}

AnswerBudget::AnswerBudget(const AnswerLimits& limits, const KeyedHash& hash)
    : hash_(hash),
      queries_{Buckets(limits.queries_per_address_max, limits.sources_max),
               Buckets(and_a_quarter(limits.queries_per_address_max), limits.sources_max)},
      advertisements_{Buckets(limits.advertisements_per_address_max, limits.sources_max),
                      Buckets(and_a_quarter(limits.advertisements_per_address_max), limits.sources_max)},
      of_prefixes_(limits.per_prefix_max, limits.sources_max),
      total_interval_(interval_of(limits.total_max)),
      proved_endpoints_(1, limits.sources_max),
      proved_prefixes_(1, limits.sources_max),
      refused_(kRefusedBits * limits.sources_max) {}

void AnswerBudget::set_limits(const AnswerLimits& limits) {
  const BriefLockGuard guard(lock_);
  queries_.of_endpoints.set_limit(limits.queries_per_address_max);
  queries_.of_addresses.set_limit(and_a_quarter(limits.queries_per_address_max));
  advertisements_.of_endpoints.set_limit(limits.advertisements_per_address_max);
  advertisements_.of_addresses.set_limit(and_a_quarter(limits.advertisements_per_address_max));
  of_prefixes_.set_limit(limits.per_prefix_max);
  total_interval_ = interval_of(limits.total_max);
}

std::optional<Refusal> AnswerBudget::take(Instant now, const Endpoint& to, Kind kind, std::uint32_t nonce) {
  const Prefix subscriber = subscriber_of(to.address);
  const Prefix prefix = prefix_of(to.address);
  const std::uint64_t endpoint_tag = hash_(to);
  const std::uint64_t prefix_tag = hash_(prefix.address);
  const RelayReject per_address =
      kind == Kind::kQuery ? RelayReject::kRequestRateLimit : RelayReject::kDiscoveryRateLimit;

  const std::uint64_t ask_tag = hash_(endpoint_tag ^ hash_(std::uint64_t{nonce} << 1 | (kind == Kind::kQuery ? 1 : 0)));

  const BriefLockGuard guard(lock_);
  PerKind& buckets = kind == Kind::kQuery ? queries_ : advertisements_;
  TokenBucket* const of_endpoint = buckets.of_endpoints.of(now, endpoint_tag);
  TokenBucket* const of_address =
      proved_endpoints_.knows(endpoint_tag) ? nullptr : buckets.of_addresses.of(now, hash_(subscriber.address));
  TokenBucket* const of_prefix = of_prefixes_.of(now, prefix_tag);
  const auto is_empty = [now](const TokenBucket* bucket, const Buckets& of, Duration depth) {
    return bucket != nullptr && !bucket->has(now, of.interval(), depth);
  };
  if (is_empty(of_endpoint, buckets.of_endpoints, TokenBucket::kDepth)) return Refusal{per_address, subscriber};
  // An endpoint's own excess is not remembered: a flood from one port repeats its Requests, too.
  const bool is_repeated = refused_.knows(now, ask_tag);
  const auto refuse = [&](RelayReject reason, const Prefix& whose) {
    refused_.add(now, ask_tag);
    return Refusal{reason, whose};
  };
  const Duration share_depth = is_repeated ? kShareDepthRepeated : kShareDepth;
  if (is_empty(of_address, buckets.of_addresses, share_depth)) return refuse(per_address, subscriber);
  const bool is_quiet = of_prefix == nullptr || of_prefix->full_at() <= now + kQuiet;
  if (is_empty(of_prefix, of_prefixes_, share_depth)) return refuse(RelayReject::kAnswerPrefixRateLimit, prefix);
  const Duration depth = !is_quiet                            ? (is_repeated ? kDepthOthersRepeated : kDepthOthers)
                         : proved_prefixes_.knows(prefix_tag) ? kDepthProved
                         : is_repeated                        ? kDepthQuietRepeated
                                                              : kDepthQuiet;
  const auto spend = [now](TokenBucket* bucket, const Buckets& of, Duration of_depth) {
    if (bucket != nullptr) static_cast<void>(bucket->take(now, of.interval(), of_depth));
  };
  // Also where it gets no answer: a prefix that asks much is not quiet.
  spend(of_prefix, of_prefixes_, share_depth);
  if (total_interval_ != Duration::zero() && !total_.take(now, total_interval_, depth)) {
    return refuse(RelayReject::kAnswerRateLimit, prefix);
  }
  spend(of_endpoint, buckets.of_endpoints, TokenBucket::kDepth);
  spend(of_address, buckets.of_addresses, share_depth);
  return std::nullopt;
}

void AnswerBudget::note_proved(Instant now, const Endpoint& endpoint) {
  const BriefLockGuard guard(lock_);
  *proved_endpoints_.of(now, hash_(endpoint)) = TokenBucket(now);
  *proved_prefixes_.of(now, hash_(prefix_of(endpoint.address).address)) = TokenBucket(now);
}

}  // namespace amt
