/// The messages of the members of a fleet.

#include "base/assert.hh"
#include "load/fleet_impl.hh"

namespace amt {
namespace {

wire::Protocol protocol_of(const Channel& channel) {
  return channel.group.is_v4() ? wire::Protocol::kIgmp : wire::Protocol::kMld;
}

SourceList sources_of(const Channel& channel) { return channel.source ? SourceList{*channel.source} : SourceList{}; }

/// The answer to a General Query.
GroupRecord current_state(const Channel& channel) {
  return {channel.source ? RecordType::kModeIsInclude : RecordType::kModeIsExclude, channel.group, sources_of(channel)};
}
GroupRecord join_of(const Channel& channel) {
  return {channel.source ? RecordType::kAllowNewSources : RecordType::kChangeToExclude, channel.group,
          sources_of(channel)};
}
GroupRecord leave_of(const Channel& channel) {
  return {channel.source ? RecordType::kBlockOldSources : RecordType::kChangeToInclude, channel.group,
          sources_of(channel)};
}

}  // namespace

Bytes Fleet::Impl::write_update(const Member& member, std::span<const GroupRecord> records) {
  // RFC 7450 §5.2.1 allows any inner source address.
  const std::vector<std::byte> report = write_report(IpAddress::unspecified(records.front().group.family()), records);
  scratch.resize(wire::kUpdateHeaderOctets + report.size());
  ByteWriter out(scratch);
  wire::MembershipUpdate{member.mac, member.granted, report}.write(out);
  tally.counters.add(LoadCounter::kUpdatesSent);
  return scratch;
}

Bytes Fleet::Impl::write(const Due& due) {
  const Member& member = members[due.member];
  const Channel& channel = channel_of(member);
  switch (due.kind) {
    case Due::Kind::kRequest: {
      scratch.resize(wire::kRequestOctets);
      ByteWriter out(scratch);
      wire::Request{.nonce = member.nonce, .protocol = protocol_of(channel)}.write(out);
      return scratch;
    }
    case Due::Kind::kJoin:
      return write_update(member, std::array{current_state(channel)});
    case Due::Kind::kChange: {
      const Channel& left = options.channels[due.left];
      if (left.group.family() == channel.group.family()) {
        return write_update(member, std::array{leave_of(left), join_of(channel)});
      }
      // One protocol each; nothing else comes between.
      outputs.push_back({Due::Kind::kJoin, due.member});
      return write_update(member, std::array{leave_of(left)});
    }
    case Due::Kind::kLeave:
      return write_update(member, std::array{leave_of(options.channels[due.left])});
    case Due::Kind::kTeardown: {
      if (!member.seen_as) return write_update(member, std::array{leave_of(channel)});
      scratch.resize(wire::kTeardownOctets);
      ByteWriter out(scratch);
      wire::Teardown{member.mac, member.granted, *member.seen_as}.write(out);
      tally.counters.add(LoadCounter::kTeardownsSent);
      return scratch;
    }
  }
  AMT_ASSERT(false);
}

}  // namespace amt
