/// A worker's state for another process, which goes on with its tunnels.

#include "engine/relay/relay_inheritance.hh"
#include "engine/relay/relay_worker.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

/// Of a slice.
constexpr std::size_t kTunnelNumbersMax = 512;
constexpr std::size_t kSliceOctets = std::size_t{32} << 10;
/// Where tunnels have many groups, or the machine is busy: twice this and a data batch stay below 2 ms.
constexpr Duration kSliceTime = std::chrono::microseconds(500);
constexpr std::size_t kChannelsMax = 256;

}  // namespace

void RelayWorker::hold_control(bool held) {
  if (is_shut_down_ || held == is_control_held_) return;
  is_control_held_ = held;
  watches_.clear();
  if (!held) {
    for (UdpSocket& socket : sockets_) watch(socket);
  }
  protocol_timer_.set(held ? kNoDeadline : next_deadline_);
}

bool RelayWorker::append_state(StateRecords& records, StateCursor& cursor, StateParts parts) {
  if (cursor.tunnel) {
    const std::uint32_t from = *cursor.tunnel;
    std::size_t numbers = kTunnelNumbersMax;
    const Instant until = monotonic_now() + kSliceTime;
    // One at least, whatever the time.
    const auto is_room = [&records, until] {
      return records.octets().empty() || (records.octets().size() < kSliceOctets && monotonic_now() < until);
    };
    if (parts != StateParts::kUses) {
      cursor.tunnel = relay_.visit_states(from, numbers, [&](const TunnelState& state) {
        if (!is_room()) return false;
        records.add(state);
        return true;
      });
      if (cursor.tunnel) numbers = *cursor.tunnel - from;
    }
    if (parts != StateParts::kTunnels) {
      const auto next = relay_.visit_uses(from, numbers, [&](const TunnelUse& use) {
        if (parts == StateParts::kUses && !is_room()) return false;
        records.add(use);
        return true;
      });
      if (parts == StateParts::kUses) cursor.tunnel = next;
    }
    return cursor.tunnel || parts != StateParts::kTunnels;
  }
  return relay_.visit_channels(cursor.channel, kChannelsMax,
                               [&](const Relay::ChannelStatus& channel) { records.add(channel); });
}

void RelayWorker::append_descriptors(const std::vector<std::string>& interfaces, std::vector<LentDescriptor>& out) {
  using Kind = NamedDescriptor::Kind;
  const auto worker = static_cast<std::uint32_t>(index_);
  for (const UdpSocket& socket : sockets_) {
    out.push_back({{.kind = Kind::kSocket, .owner = worker, .local = socket.local()}, socket.fd()});
  }
  for (const CapturePlace& place : captures_) {
    // Of an interface that is lost nothing comes any more.
    if (!place.capture || !place.watch || place.number >= interfaces.size()) continue;
    const std::optional<PacketRingPlace> ring = place.capture->place();
    if (!ring) continue;
    UpstreamCapture::Statistics captured = place.before;
    captured += place.capture->statistics();
    out.push_back({{.kind = Kind::kCapture,
                    .owner = worker,
                    .name = interfaces[place.number],
                    .numbers = numbers_of(*ring, captured)},
                   place.capture->fd()});
  }
}

std::vector<FilterChange> RelayWorker::begin_restored() {
  std::vector<FilterChange> wanted;
  while (std::optional<FilterChange> change = relay_.poll_upstream()) wanted.push_back(std::move(*change));
  settle();
  return wanted;
}

}  // namespace amt
