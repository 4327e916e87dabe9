#include "relay/state_document.hh"

#include <sodium/crypto_generichash.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.hh"
#include "relay/state_records.hh"

namespace amt {

using state::StateRecordType;

/// One record: its length is filled in at the end.
class StateRecords::Record {
 public:
  Record(StateRecords& records, StateRecordType type) : records_(records), out_(records.octets_) {
    u8(static_cast<std::uint8_t>(type));
    u32(0);
    body_at_ = out_.size();
  }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() {
    const MutableBytes length = MutableBytes(out_).subspan(body_at_ - sizeof(std::uint32_t), sizeof(std::uint32_t));
    ByteWriter(length).u32(static_cast<std::uint32_t>(out_.size() - body_at_));
  }

  void u8(std::uint8_t value) { out_.push_back(std::byte{value}); }
  void u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value & 0xff));
  }
  void u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value & 0xffff));
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
  }
  void bytes(Bytes octets) { out_.insert(out_.end(), octets.begin(), octets.end()); }
  /// The family, and as many octets as it has.
  void address(const IpAddress& address) {
    u8(static_cast<std::uint8_t>(address.family()));
    bytes(address.bytes());
  }
  void endpoint(const Endpoint& endpoint) {
    address(endpoint.address);
    u16(endpoint.port);
  }
  void channel(const Channel& channel) {
    address(channel.group);
    u8(channel.source ? 1 : 0);
    if (channel.source) address(*channel.source);
  }
  void time(Instant at) {
    std::int64_t after = state::kLatest;
    if (at == Instant::min()) {
      after = state::kEarliest;
    } else if (at != kNoDeadline) {
      after = (at - records_.written_).count();
    }
    u64(static_cast<std::uint64_t>(after));
  }
  /// Of what follows.
  void count(std::size_t count) {
    AMT_ASSERT(count <= std::numeric_limits<std::uint32_t>::max());
    u32(static_cast<std::uint32_t>(count));
  }

 private:
  StateRecords& records_;
  std::vector<std::byte>& out_;
  std::size_t body_at_ = 0;
};

void StateRecords::add(const SharedState& shared) {
  Record out(*this, StateRecordType::kShared);
  out.bytes(shared.seed.octets());
  out.time(shared.since);
  out.u32(shared.steering_key);
  out.u16(shared.workers);
  out.u8(shared.is_draining ? state::kDraining : 0);
  out.count(shared.addresses.size());
  for (const LocalAddress& address : shared.addresses) out.endpoint(address);
}

void StateRecords::add(const TunnelState& tunnel) {
  Record out(*this, StateRecordType::kTunnel);
  out.endpoint(tunnel.endpoint);
  out.endpoint(tunnel.local);
  out.u8(tunnel.ecn_capable ? state::kEcnCapable : 0);
  out.u32(tunnel.nonce.value);
  out.bytes(tunnel.mac.octets);
  out.time(tunnel.since);
  out.time(tunnel.expires);
  out.count(tunnel.groups.size());
  for (const RouterGroupState& group : tunnel.groups) {
    const bool excludes = group.mode == FilterMode::kExclude;
    const bool has_older = group.v1_host_present != Instant::min() || group.v2_host_present != Instant::min();
    out.u8(static_cast<std::uint8_t>((excludes ? state::kExcludes : 0) | (has_older ? state::kHasOlderHosts : 0)));
    out.address(group.group);
    if (excludes) out.time(group.expires);
    if (has_older) {
      out.time(group.v1_host_present);
      out.time(group.v2_host_present);
    }
    out.count(group.sources.size());
    for (const SourceRecord& source : group.sources) {
      out.address(source.address);
      out.time(source.expires);
    }
  }
}

void StateRecords::add(const TunnelUse& use) {
  Record out(*this, StateRecordType::kUse);
  out.endpoint(use.endpoint);
  out.u64(use.packets);
  out.u64(use.octets);
  out.count(use.channels.size());
  for (const TunnelUse::ChannelUse& one : use.channels) {
    out.channel(one.channel);
    out.time(one.since);
    out.u64(one.packets);
    out.u64(one.octets);
    out.time(one.told.until);
    out.u64(one.told.packets);
    out.u64(one.told.octets);
  }
}

void StateRecords::add(const Relay::ChannelStatus& channel) {
  Record out(*this, StateRecordType::kChannel);
  out.channel(channel.channel);
  out.u64(channel.packets);
  out.u64(channel.bytes);
}

void StateRecords::add(std::string_view counter, std::uint64_t value) {
  Record out(*this, StateRecordType::kCounter);
  out.u64(value);
  out.bytes(std::as_bytes(std::span(counter)));
}

struct StateDocument::Hash {
  crypto_generichash_state state{};
};

StateDocument::StateDocument(const BootId& boot, Instant written) : hash_(std::make_unique<Hash>()) {
  crypto_generichash_init(&hash_->state, nullptr, 0, state::kHashOctets);
  std::array<std::byte, state::kHeaderOctets> header{};
  ByteWriter out(header);
  out.bytes(std::as_bytes(std::span(state::kMagic)));
  out.u32(kStateVersion);
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
  crypto_generichash_update(&hash_->state, state::unsigned_octets(records), records.size());
  octets_.insert(octets_.end(), records.begin(), records.end());
}

std::vector<std::byte> StateDocument::finish() {
  std::array<std::byte, state::kRecordHeaderOctets> end{};
  ByteWriter out(end);
  out.u8(static_cast<std::uint8_t>(StateRecordType::kEnd));
  out.u32(state::kHashOctets);
  append(end);
  std::array<unsigned char, state::kHashOctets> hash{};
  crypto_generichash_final(&hash_->state, hash.data(), hash.size());
  const Bytes hashed = std::as_bytes(std::span(hash));
  octets_.insert(octets_.end(), hashed.begin(), hashed.end());
  return std::exchange(octets_, {});
}

}  // namespace amt
