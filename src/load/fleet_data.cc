/// The received data of the members of a fleet.

#include <algorithm>

#include "ip/udp.hh"
#include "load/fleet_impl.hh"
#include "media/test_pattern.hh"

namespace amt {
namespace {

/// Reordering over more packets counts as loss and late arrival; one word a gateway.
constexpr unsigned kWindowBits = 6;
/// Two machines' monotonic clocks have nothing to do with each other; one machine's packets are not so old.
constexpr Duration kDataDelayMax = std::chrono::seconds(10);
/// A channel that was left may still come for this long; then it is left once more, as often as this.
constexpr Duration kLeaveTime = std::chrono::milliseconds(500);

}  // namespace

void Fleet::Impl::handle_data(std::uint32_t index, Bytes message) {
  Member& member = members[index];
  const auto data = wire::MulticastData::parse(message);
  const auto datagram = data ? DatagramView::parse(data->datagram) : Unexpected<IpError>(IpError::kTruncated);
  if (!datagram) {
    tally.counters.add(LoadCounter::kDamaged);
    return;
  }
  const Channel& channel = channel_of(member);
  const bool wanted = member.has_tunnel && datagram->destination == channel.group &&
                      (!channel.source || *channel.source == datagram->source);
  if (!wanted) {
    tally.counters.add(LoadCounter::kUnwanted);
    if (member.state != State::kConnected || now - std::max(member.joined, member.restated) < kLeaveTime) return;
    // The Update that left it got lost.
    const auto left = std::ranges::find_if(options.channels, [&](const Channel& other) {
      return other.group == datagram->destination && (!other.source || *other.source == datagram->source);
    });
    if (left == options.channels.end() || *left == channel) return;
    member.restated = now;
    outputs.push_back({Due::Kind::kLeave, index, static_cast<std::uint32_t>(left - options.channels.begin())});
    tally.counters.add(LoadCounter::kUpdatesRepeated);
    return;
  }
  tally.counters.add(LoadCounter::kPackets);
  tally.counters.add(LoadCounter::kBytes, datagram->bytes.size());
  // Packets from before the join are left over from an earlier join.
  if (!member.is_heard && arrived >= member.joined) {
    member.is_heard = true;
    tally.join.add(arrived - member.joined);
    tally.counters.add(LoadCounter::kJoinsServed);
  }
  // The first fragment has a UDP header, but not the whole payload.
  if (datagram->is_fragment()) return;
  if (const auto udp = UdpView::parse(*datagram)) {
    count_number(member, udp->payload);
  } else if (udp.error() == UdpError::kBadChecksum) {
    tally.counters.add(LoadCounter::kDamaged);
  }
}

void Fleet::Impl::count_number(Member& member, Bytes payload) {
  const std::optional<TestPacket> packet = peek_test_packet(payload);
  if (!packet) return;
  tally.counters.add(LoadCounter::kNumbered);
  const Duration delay = arrived - packet->sent;
  if (delay >= Duration::zero() && delay <= kDataDelayMax) tally.data.add(delay);
  if (!member.numbers || member.stream != packet->stream) {
    end_numbers(member);
    member.numbers.emplace(32, kWindowBits);
    member.stream = packet->stream;
  }
  switch (member.numbers->add(packet->sequence)) {
    case SequenceTracker::Verdict::kInOrder:
      break;
    case SequenceTracker::Verdict::kReordered:
    case SequenceTracker::Verdict::kTooOld:
      tally.counters.add(LoadCounter::kReordered);
      break;
    case SequenceTracker::Verdict::kDuplicate:
      tally.counters.add(LoadCounter::kDuplicated);
      break;
  }
}

void Fleet::Impl::end_numbers(Member& member) {
  tally.counters.add(LoadCounter::kLost, lost_of(member));
  member.numbers.reset();
}

}  // namespace amt
