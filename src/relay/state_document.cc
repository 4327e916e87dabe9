/// Writes a relay's records.

#include "relay/state_document.hh"

#include <algorithm>

#include "relay/state_records.hh"

namespace amt {
namespace {

using state::StateRecordType;

class Record : public StateRecordWriter {
 public:
  Record(StateOctets& out, Instant written, StateRecordType type)
      : StateRecordWriter(out, written, static_cast<std::uint8_t>(type)) {}
};

}  // namespace

void StateRecords::add(const SharedState& shared) {
  Record out(octets_, written_, StateRecordType::kShared);
  out.bytes(shared.seed.octets());
  out.time(shared.since);
  out.u32(shared.steering_key);
  out.u16(shared.workers);
  out.u8(shared.is_draining ? state::kDraining : 0);
  out.count(shared.addresses.size());
  for (const LocalAddress& address : shared.addresses) out.endpoint(address);
}

void StateRecords::add(const TunnelState& tunnel) {
  Record out(octets_, written_, StateRecordType::kTunnel);
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
  Record out(octets_, written_, StateRecordType::kUse);
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
  Record out(octets_, written_, StateRecordType::kChannel);
  out.channel(channel.channel);
  out.u64(channel.packets);
  out.u64(channel.bytes);
}

void StateRecords::add(std::string_view counter, std::uint64_t value) {
  Record out(octets_, written_, StateRecordType::kCounter);
  out.u64(value);
  out.bytes(std::as_bytes(std::span(counter)));
}

}  // namespace amt
