#include "base/state_document.hh"

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <algorithm>

#include "base/assert.hh"

namespace amt {
namespace {

constexpr std::size_t kMagicOctets = 8;
constexpr std::size_t kBootAt = 12;
constexpr std::size_t kHeaderOctets = 36;
/// Type and length.
constexpr std::size_t kRecordHeaderOctets = 5;
constexpr std::size_t kHashOctets = 16;
constexpr std::size_t kEndOctets = kRecordHeaderOctets + kHashOctets;
constexpr std::uint8_t kEndType = 0;

/// The C interface of libsodium speaks of unsigned char.
const unsigned char* unsigned_octets(Bytes octets) {
  return static_cast<const unsigned char*>(static_cast<const void*>(octets.data()));
}

bool has_right_hash(Bytes document) {
  std::array<unsigned char, kHashOctets> hash{};
  const Bytes hashed = document.first(document.size() - kHashOctets);
  crypto_generichash(hash.data(), hash.size(), unsigned_octets(hashed), hashed.size(), nullptr, 0);
  return sodium_memcmp(hash.data(), document.last(kHashOctets).data(), hash.size()) == 0;
}

/// The last record but for its hash.
bool ends_well(Bytes document) {
  ByteReader end(document.last(kEndOctets));
  return end.u8() == kEndType && end.u32() == kHashOctets;
}

}  // namespace

struct StateDocument::Hash {
  crypto_generichash_state state{};
};

StateDocument::StateDocument(const StateFormat& format, const BootId& boot, Instant written)
    : hash_(std::make_unique<Hash>()) {
  AMT_ASSERT(format.magic.size() == kMagicOctets);
  crypto_generichash_init(&hash_->state, nullptr, 0, kHashOctets);
  std::array<std::byte, kHeaderOctets> header{};
  ByteWriter out(header);
  out.bytes(std::as_bytes(std::span(format.magic)));
  out.u32(format.version);
  out.bytes(boot);
  const auto nanoseconds = static_cast<std::uint64_t>(written.time_since_epoch().count());
  out.u32(static_cast<std::uint32_t>(nanoseconds >> 32));
  out.u32(static_cast<std::uint32_t>(nanoseconds));
  append(header);
}

StateDocument::~StateDocument() = default;
StateDocument::StateDocument(StateDocument&&) noexcept = default;
StateDocument& StateDocument::operator=(StateDocument&&) noexcept = default;

void StateDocument::append(Bytes records) {
  crypto_generichash_update(&hash_->state, unsigned_octets(records), records.size());
  octets_.insert(octets_.end(), records.begin(), records.end());
}

StateOctets StateDocument::finish() {
  std::array<std::byte, kRecordHeaderOctets> end{};
  ByteWriter out(end);
  out.u8(kEndType);
  out.u32(kHashOctets);
  append(end);
  std::array<unsigned char, kHashOctets> hash{};
  crypto_generichash_final(&hash_->state, hash.data(), hash.size());
  const Bytes hashed = std::as_bytes(std::span(hash));
  octets_.insert(octets_.end(), hashed.begin(), hashed.end());
  return std::exchange(octets_, {});
}

std::string_view to_string(StateRefusal refusal) {
  switch (refusal) {
    case StateRefusal::kNoState:
      return "not that of such a program";
    case StateRefusal::kOtherVersion:
      return "of a release that keeps its state in another form";
    case StateRefusal::kDamaged:
      return "damaged";
    case StateRefusal::kOtherBoot:
      return "of before this machine started";
    case StateRefusal::kTooOld:
      return "too old";
  }
  AMT_ASSERT(false);
}

Result<StateBody, StateRefusal> StateBody::open(Bytes document, const StateFormat& format, const BootId& boot,
                                                Instant now, Duration age_max) {
  const Bytes magic = std::as_bytes(std::span(format.magic));
  if (document.size() < kBootAt || !std::ranges::equal(document.first(magic.size()), magic)) {
    return Unexpected<StateRefusal>(StateRefusal::kNoState);
  }
  if (ByteReader(document.subspan(magic.size())).u32() != format.version) {
    return Unexpected<StateRefusal>(StateRefusal::kOtherVersion);
  }
  if (document.size() < kHeaderOctets + kEndOctets || document.size() > kStateOctetsMax || !ends_well(document) ||
      !has_right_hash(document)) {
    return Unexpected<StateRefusal>(StateRefusal::kDamaged);
  }
  ByteReader header(document.subspan(kBootAt));
  const bool is_of_boot = std::ranges::equal(header.bytes(boot.size()), boot);
  const std::uint64_t high = header.u32();
  const Instant written{Duration(static_cast<Duration::rep>(high << 32 | header.u32()))};
  // A clock that has not come so far is another one.
  if (!is_of_boot || written > now || written < Instant{}) return Unexpected<StateRefusal>(StateRefusal::kOtherBoot);
  if (now - written > age_max) return Unexpected<StateRefusal>(StateRefusal::kTooOld);
  return StateBody(document.subspan(kHeaderOctets, document.size() - kHeaderOctets - kEndOctets), written);
}

std::optional<StateBody::Record> StateBody::next() {
  if (!rest_.has(kRecordHeaderOctets)) return std::nullopt;
  ByteReader at = rest_;
  const std::uint8_t type = at.u8();
  const std::size_t length = at.u32();
  if (!at.has(length)) return std::nullopt;
  const Bytes record = at.bytes(length);
  rest_ = at;
  return Record{type, StateRecordReader(record, written_)};
}

}  // namespace amt
