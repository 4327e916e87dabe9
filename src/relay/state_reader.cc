/// Reads a state document. It comes from a file, or from a process of another release: nothing in it is believed.

#include <sodium/crypto_generichash.h>
#include <sodium/utils.h>

#include <algorithm>
#include <optional>

#include "base/assert.hh"
#include "relay/state_document.hh"
#include "relay/state_records.hh"

namespace amt {
namespace {

using state::StateRecordType;

/// One record. What is missing reads as zero and makes it bad.
class RecordReader {
 public:
  RecordReader(Bytes record, Instant written) : rest_(record), written_(written) {}

  /// Everything was there, had a meaning, and nothing is left.
  [[nodiscard]] bool is_good() const { return !is_bad_ && rest_.remaining() == 0; }

  std::uint8_t u8() { return has(1) ? rest_.u8() : std::uint8_t{0}; }
  std::uint16_t u16() { return has(2) ? rest_.u16() : std::uint16_t{0}; }
  std::uint32_t u32() { return has(4) ? rest_.u32() : 0; }
  std::uint64_t u64() {
    const std::uint64_t high = u32();
    return high << 32 | u32();
  }
  /// No more than `mask`.
  std::uint8_t flags(std::uint8_t mask) {
    const std::uint8_t flags = u8();
    is_bad_ = is_bad_ || (flags & ~mask) != 0;
    return flags;
  }
  void bytes(MutableBytes into) {
    if (has(into.size())) std::ranges::copy(rest_.bytes(into.size()), into.begin());
  }
  IpAddress address() {
    constexpr std::size_t kOctetsV4 = 4;
    constexpr std::size_t kOctetsV6 = 16;
    const std::uint8_t family = u8();
    const bool is_v4 = family == static_cast<std::uint8_t>(Family::kIpv4);
    is_bad_ = is_bad_ || (!is_v4 && family != static_cast<std::uint8_t>(Family::kIpv6));
    const std::size_t octets = is_v4 ? kOctetsV4 : kOctetsV6;
    if (!has(octets)) return {};
    const IpAddress address = IpAddress::from_bytes(rest_.bytes(octets));
    is_bad_ = is_bad_ || address.is_v4() != is_v4;
    return address;
  }
  Endpoint endpoint() {
    Endpoint endpoint;
    endpoint.address = address();
    endpoint.port = u16();
    return endpoint;
  }
  Channel channel() {
    Channel channel;
    channel.group = address();
    if (flags(1) != 0) channel.source = address();
    return channel;
  }
  Instant time() {
    const auto after = static_cast<std::int64_t>(u64());
    if (after == state::kEarliest) return Instant::min();
    if (after == state::kLatest) return kNoDeadline;
    is_bad_ = is_bad_ || after > state::kSpanMax || after < -state::kSpanMax;
    return is_bad_ ? written_ : written_ + Duration(after);
  }
  /// One that is neither the beginning nor the end of the clock.
  Instant moment() {
    const Instant at = time();
    const bool is_end = at == Instant::min() || at == kNoDeadline;
    is_bad_ = is_bad_ || is_end;
    return is_bad_ ? written_ : at;
  }
  /// Of entries that have at least so many octets each: there is room for them.
  std::size_t count(std::size_t octets_min) {
    const std::size_t count = u32();
    is_bad_ = is_bad_ || count > rest_.remaining() / octets_min;
    return is_bad_ ? 0 : count;
  }
  std::string_view rest() {
    const Bytes rest = rest_.bytes(rest_.remaining());
    return {static_cast<const char*>(static_cast<const void*>(rest.data())), rest.size()};
  }

 private:
  bool has(std::size_t octets) {
    is_bad_ = is_bad_ || !rest_.has(octets);
    return !is_bad_;
  }

  ByteReader rest_;
  Instant written_;
  bool is_bad_ = false;
};

constexpr std::size_t kAddressOctetsMin = 5;
constexpr std::size_t kEndpointOctetsMin = kAddressOctetsMin + 2;
constexpr std::size_t kSourceOctetsMin = kAddressOctetsMin + 8;
constexpr std::size_t kGroupOctetsMin = 1 + kAddressOctetsMin + 4;
constexpr std::size_t kChannelUseOctetsMin = kAddressOctetsMin + 1 + 6 * 8;

void read(RecordReader& in, SharedState& shared) {
  in.bytes(shared.seed.octets());
  shared.since = in.moment();
  shared.steering_key = in.u32();
  shared.workers = in.u16();
  shared.is_draining = in.flags(state::kDraining) != 0;
  shared.addresses.resize(in.count(kEndpointOctetsMin));
  for (LocalAddress& address : shared.addresses) address = {in.endpoint()};
}

void read(RecordReader& in, RouterGroupState& group) {
  const std::uint8_t flags = in.flags(state::kExcludes | state::kHasOlderHosts);
  const bool excludes = (flags & state::kExcludes) != 0;
  const bool has_older = (flags & state::kHasOlderHosts) != 0;
  group.mode = excludes ? FilterMode::kExclude : FilterMode::kInclude;
  group.group = in.address();
  group.expires = excludes ? in.time() : kNoDeadline;
  group.v1_host_present = has_older ? in.time() : Instant::min();
  group.v2_host_present = has_older ? in.time() : Instant::min();
  group.sources.resize(in.count(kSourceOctetsMin));
  for (SourceRecord& source : group.sources) {
    source.address = in.address();
    source.expires = in.time();
  }
}

void read(RecordReader& in, TunnelState& tunnel) {
  tunnel.endpoint = {in.endpoint()};
  tunnel.local = {in.endpoint()};
  tunnel.ecn_capable = in.flags(state::kEcnCapable) != 0;
  tunnel.nonce.value = in.u32();
  in.bytes(tunnel.mac.octets);
  tunnel.since = in.moment();
  tunnel.expires = in.moment();
  tunnel.groups.resize(in.count(kGroupOctetsMin));
  for (RouterGroupState& group : tunnel.groups) read(in, group);
}

void read(RecordReader& in, TunnelUse& use) {
  use.endpoint = {in.endpoint()};
  use.packets = in.u64();
  use.octets = in.u64();
  use.channels.resize(in.count(kChannelUseOctetsMin));
  for (TunnelUse::ChannelUse& one : use.channels) {
    one.channel = in.channel();
    one.since = in.moment();
    one.packets = in.u64();
    one.octets = in.u64();
    one.told.until = in.moment();
    one.told.packets = in.u64();
    one.told.octets = in.u64();
  }
}

void read(RecordReader& in, Relay::ChannelStatus& channel) {
  channel.channel = in.channel();
  channel.packets = in.u64();
  channel.bytes = in.u64();
}

/// One walk through the records, whose scratch objects are used again and again.
class Walk {
 public:
  Walk(Bytes records, Instant written) : rest_(records), written_(written) {}

  /// False: a record is bad.
  bool run(StateVisitor& visitor) {
    while (rest_.has(state::kRecordHeaderOctets)) {
      const auto type = static_cast<StateRecordType>(rest_.u8());
      const std::size_t length = rest_.u32();
      if (!rest_.has(length)) return false;
      RecordReader record(rest_.bytes(length), written_);
      if (!take(type, record, visitor)) return false;
    }
    return rest_.remaining() == 0;
  }

 private:
  bool take(StateRecordType type, RecordReader& in, StateVisitor& visitor) {
    switch (type) {
      case StateRecordType::kShared:
        return take(in, shared_, visitor);
      case StateRecordType::kTunnel:
        return take(in, tunnel_, visitor);
      case StateRecordType::kUse:
        return take(in, use_, visitor);
      case StateRecordType::kChannel:
        return take(in, channel_, visitor);
      case StateRecordType::kCounter: {
        const std::uint64_t value = in.u64();
        const std::string_view name = in.rest();
        if (in.is_good()) visitor.visit(name, value);
        return in.is_good();
      }
      case StateRecordType::kEnd:
        break;
    }
    return false;
  }
  template <typename T>
  bool take(RecordReader& in, T& into, StateVisitor& visitor) {
    read(in, into);
    if (in.is_good()) visitor.visit(into);
    return in.is_good();
  }

  ByteReader rest_;
  Instant written_;
  SharedState shared_;
  TunnelState tunnel_;
  TunnelUse use_;
  Relay::ChannelStatus channel_;
};

class SharedFinder final : public StateVisitor {
 public:
  explicit SharedFinder(std::optional<SharedState>& found) : found_(found) {}

  void visit(const SharedState& shared) override { found_ = shared; }
  void visit(const TunnelState&) override {}
  void visit(const TunnelUse&) override {}
  void visit(const Relay::ChannelStatus&) override {}
  void visit(std::string_view, std::uint64_t) override {}

 private:
  std::optional<SharedState>& found_;
};

bool has_right_hash(Bytes document) {
  std::array<unsigned char, state::kHashOctets> hash{};
  const Bytes hashed = document.first(document.size() - state::kHashOctets);
  crypto_generichash(hash.data(), hash.size(), state::unsigned_octets(hashed), hashed.size(), nullptr, 0);
  return sodium_memcmp(hash.data(), document.last(state::kHashOctets).data(), hash.size()) == 0;
}

/// The last record but for its hash.
bool ends_well(Bytes document) {
  ByteReader end(document.last(state::kRecordHeaderOctets + state::kHashOctets));
  return end.u8() == static_cast<std::uint8_t>(StateRecordType::kEnd) && end.u32() == state::kHashOctets;
}

}  // namespace

std::string_view to_string(StateRefusal refusal) {
  switch (refusal) {
    case StateRefusal::kNoState:
      return "no state of a relay";
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

Result<StateReader, StateRefusal> StateReader::open(Bytes document, const BootId& boot, Instant now, Duration age_max) {
  const Bytes magic = std::as_bytes(std::span(state::kMagic));
  if (document.size() < state::kBootAt || !std::ranges::equal(document.first(magic.size()), magic)) {
    return Unexpected<StateRefusal>(StateRefusal::kNoState);
  }
  if (ByteReader(document.subspan(magic.size())).u32() != kStateVersion) {
    return Unexpected<StateRefusal>(StateRefusal::kOtherVersion);
  }
  constexpr std::size_t kEndOctets = state::kRecordHeaderOctets + state::kHashOctets;
  if (document.size() < state::kHeaderOctets + kEndOctets || document.size() > kStateOctetsMax ||
      !ends_well(document) || !has_right_hash(document)) {
    return Unexpected<StateRefusal>(StateRefusal::kDamaged);
  }
  ByteReader header(document.subspan(state::kBootAt));
  const bool is_of_boot = std::ranges::equal(header.bytes(boot.size()), boot);
  const std::uint64_t high = header.u32();
  const Instant written{Duration(static_cast<Duration::rep>(high << 32 | header.u32()))};
  // A clock that has not come so far is another one.
  if (!is_of_boot || written > now || written < Instant{}) return Unexpected<StateRefusal>(StateRefusal::kOtherBoot);
  if (now - written > age_max) return Unexpected<StateRefusal>(StateRefusal::kTooOld);
  const std::size_t octets = document.size() - state::kHeaderOctets - kEndOctets;
  StateReader reader(document.subspan(state::kHeaderOctets, octets), written);
  SharedFinder finder(reader.shared_);
  if (!Walk(reader.records_, written).run(finder)) return Unexpected<StateRefusal>(StateRefusal::kDamaged);
  return reader;
}

void StateReader::visit(StateVisitor& visitor) const {
  const bool is_good = Walk(records_, written_).run(visitor);
  AMT_ASSERT(is_good);
}

}  // namespace amt
