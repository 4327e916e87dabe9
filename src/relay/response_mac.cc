#include "relay/response_mac.hh"

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_shorthash_siphash24.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hh"

namespace amt {
namespace {

static_assert(crypto_shorthash_siphash24_KEYBYTES == RelaySecret::kOctets);

constexpr std::size_t kSubjectOctets = 16 + 2 + 4 + 1;
constexpr std::size_t kIpv4CompatiblePadding = 12;

}  // namespace

wire::ResponseMac response_mac(const RelaySecret& secret, const MacSubject& subject) {
  std::array<std::byte, kSubjectOctets> text{};
  ByteWriter writer(text);
  if (subject.endpoint.address.is_v4()) writer.zeros(kIpv4CompatiblePadding);
  writer.bytes(subject.endpoint.address.bytes());
  writer.u16(subject.endpoint.port);
  writer.u32(subject.nonce.value);
  writer.u8(subject.ecn_capable ? 2 : 0);

  // The C interface speaks of unsigned char.
  std::array<unsigned char, kSubjectOctets> in{};
  std::array<unsigned char, crypto_shorthash_siphash24_BYTES> hash{};
  std::memcpy(in.data(), text.data(), text.size());
  crypto_shorthash_siphash24(hash.data(), in.data(), in.size(), secret.data());

  wire::ResponseMac mac;
  std::memcpy(mac.octets.data(), hash.data(), mac.octets.size());
  return mac;
}

MacSecrets::MacSecrets(const RelayOptions& options, const RelayShared& shared)
    : seed_(shared.seed),
      since_(shared.since),
      lifetime_(options.secret_lifetime),
      previous_lifetime_(2 * options.query_interval) {
  if (!options.keys.empty()) {
    set_keys(since_, options.keys);
    return;
  }
  AMT_ASSERT(lifetime_ > Duration::zero());
  current_ = secret_of(0);
  next_change_ = since_ + lifetime_;
}

RelaySecret MacSecrets::secret_of(std::uint64_t period) const {
  static_assert(crypto_generichash_KEYBYTES_MIN <= RelaySecret::kOctets);
  std::array<std::byte, sizeof period> text{};
  ByteWriter writer(text);
  writer.u32(static_cast<std::uint32_t>(period >> 32));
  writer.u32(static_cast<std::uint32_t>(period));
  // The C interface speaks of unsigned char.
  std::array<unsigned char, sizeof period> in{};
  std::memcpy(in.data(), text.data(), text.size());
  RelaySecret secret;
  crypto_generichash(secret.data(), RelaySecret::kOctets, in.data(), in.size(), seed_.data(), RelaySecret::kOctets);
  return secret;
}

void MacSecrets::set_keys(Instant now, std::vector<RelayKey> keys) {
  AMT_ASSERT(!keys.empty() && keys.size() <= kRelayKeysMax);
  keys_ = std::move(keys);
  std::ranges::stable_sort(keys_, {}, &RelayKey::signs_from);
  choose_key(now);
}

void MacSecrets::choose_key(Instant now) {
  const auto next = std::ranges::upper_bound(keys_, now, {}, &RelayKey::signs_from);
  // Where none signs yet the first one does: a fleet whose clocks differ a little has one.
  current_ = next == keys_.begin() ? next->secret : std::prev(next)->secret;
  next_change_ = next == keys_.end() ? kNoDeadline : next->signs_from;
}

bool MacSecrets::advance(Instant now) {
  if (now < next_change_) return false;
  if (!keys_.empty()) {
    choose_key(now);
    return true;
  }
  const auto period = static_cast<std::uint64_t>((now - since_) / lifetime_);
  const Instant changed = since_ + static_cast<Duration::rep>(period) * lifetime_;
  previous_ = secret_of(period - 1);
  previous_until_ = changed + previous_lifetime_;
  current_ = secret_of(period);
  next_change_ = changed + lifetime_;
  return true;
}

wire::ResponseMac MacSecrets::compute(const MacSubject& subject) const { return response_mac(current_, subject); }

std::optional<bool> MacSecrets::verify(Instant now, const Endpoint& endpoint, wire::RequestNonce nonce,
                                       const wire::ResponseMac& mac) const {
  const auto try_secret = [&](const RelaySecret& secret) -> std::optional<bool> {
    const bool without = wire::equal_constant_time(mac, response_mac(secret, {endpoint, nonce, false}));
    const bool with = wire::equal_constant_time(mac, response_mac(secret, {endpoint, nonce, true}));
    if (!without && !with) return std::nullopt;
    return with;
  };
  if (const auto found = try_secret(current_)) return found;
  for (const RelayKey& key : keys_) {
    if (const auto found = try_secret(key.secret)) return found;
  }
  // RFC 7450 §5.3.3.4: "the relay MUST attempt to authenticate the Response MAC using the previous private secret value
  // unless 2 * query_interval time has elapsed since the private secret change."
  if (now < previous_until_) return try_secret(previous_);
  return std::nullopt;
}

}  // namespace amt
