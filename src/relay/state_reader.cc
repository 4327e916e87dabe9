/// Reads a state document. It comes from a file, or from a process of another release: nothing in it is believed.

#include <algorithm>
#include <optional>

#include "base/assert.hh"
#include "relay/state_document.hh"
#include "relay/state_records.hh"

namespace amt {
namespace {

using state::StateRecordType;

constexpr std::size_t kAddressOctetsMin = 5;
constexpr std::size_t kEndpointOctetsMin = kAddressOctetsMin + 2;
constexpr std::size_t kSourceOctetsMin = kAddressOctetsMin + 8;
constexpr std::size_t kGroupOctetsMin = 1 + kAddressOctetsMin + 4;
constexpr std::size_t kChannelUseOctetsMin = kAddressOctetsMin + 1 + 6 * 8;

void read(StateRecordReader& in, SharedState& shared) {
  in.bytes(shared.seed.octets());
  shared.since = in.moment();
  shared.steering_key = in.u32();
  shared.workers = in.u16();
  shared.is_draining = in.flags(state::kDraining) != 0;
  shared.addresses.resize(in.count(kEndpointOctetsMin));
  for (LocalAddress& address : shared.addresses) address = {in.endpoint()};
}

void read(StateRecordReader& in, RouterGroupState& group) {
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

void read(StateRecordReader& in, TunnelState& tunnel) {
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

void read(StateRecordReader& in, TunnelUse& use) {
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

void read(StateRecordReader& in, Relay::ChannelStatus& channel) {
  channel.channel = in.channel();
  channel.packets = in.u64();
  channel.bytes = in.u64();
}

/// One walk through the records, whose scratch objects are used again and again.
class Walk {
 public:
  explicit Walk(const StateBody& body) : body_(body) {}

  /// False: a record is bad.
  bool run(StateVisitor& visitor) {
    while (std::optional<StateBody::Record> record = body_.next()) {
      if (!take(static_cast<StateRecordType>(record->type), record->reader, visitor)) return false;
    }
    return !body_.is_broken();
  }

 private:
  bool take(StateRecordType type, StateRecordReader& in, StateVisitor& visitor) {
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
    }
    return false;
  }
  template <typename T>
  bool take(StateRecordReader& in, T& into, StateVisitor& visitor) {
    read(in, into);
    if (in.is_good()) visitor.visit(into);
    return in.is_good();
  }

  StateBody body_;
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

}  // namespace

Result<StateReader, StateRefusal> StateReader::open(Bytes document, const BootId& boot, Instant now, Duration age_max) {
  const Result<StateBody, StateRefusal> body = StateBody::open(document, kRelayState, boot, now, age_max);
  if (!body) return Unexpected<StateRefusal>(body.error());
  StateReader reader(*body);
  SharedFinder finder(reader.shared_);
  if (!Walk(*body).run(finder)) return Unexpected<StateRefusal>(StateRefusal::kDamaged);
  return reader;
}

void StateReader::visit(StateVisitor& visitor) const {
  const bool is_good = Walk(body_).run(visitor);
  AMT_ASSERT(is_good);
}

}  // namespace amt
