#include "engine/fan_out.hh"

#include <algorithm>
#include <cerrno>

#include "base/assert.hh"

namespace amt {
namespace {

// Messages that wait for one sendmmsg call.
constexpr std::size_t kMessagesMax = 1024;
constexpr std::uint32_t kNoRun = UINT32_MAX;

}  // namespace

FanOut::FanOut(Relay& relay, std::span<UdpSocket* const> sockets) : relay_(relay) {
  queues_.resize(sockets.size());
  for (std::size_t i = 0; i < sockets.size(); ++i) queues_[i].socket = sockets[i];
}

void FanOut::replicate(std::span<const CapturedDatagram> batch) {
  runs_.clear();
  open_run_of_.clear();
  run_of_.assign(batch.size(), kNoRun);
  Counters<RelayCounter>& counters = relay_.counters();
  counters.add(RelayCounter::kDataPacketsIn, batch.size());

  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Result<DatagramAddresses, IpError> addresses = peek_addresses(batch[i].bytes);
    if (!addresses) continue;
    const ChannelKey key{addresses->source, addresses->destination};
    const std::uint32_t run =
        assign(key, static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets), addresses->ecn);
    if (!runs_[run].wanted) {
      counters.add(RelayCounter::kDataPacketsNoListener);
      continue;
    }
    if (!decrement_hop_limit(batch[i].bytes)) {
      counters.add(RelayCounter::kDataHopLimitExceeded);
      continue;
    }
    Run& joined = runs_[run];
    const auto octets = static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets);
    if (joined.count == 0) joined.segment_octets = octets;
    joined.open = octets == joined.segment_octets;
    joined.total_octets += octets;
    ++joined.count;
    run_of_[i] = run;
  }

  lay_out_pieces(batch);
  for (std::uint32_t run = 0; run < runs_.size(); ++run) {
    if (runs_[run].count != 0) enqueue(run);
  }
  for (Queue& queue : queues_) flush(queue);
}

std::uint32_t FanOut::assign(const ChannelKey& key, std::uint32_t octets, Ecn ecn) {
  const auto [entry, is_new] = open_run_of_.try_emplace(key, static_cast<std::uint32_t>(runs_.size()));
  if (!is_new) {
    const Run& run = runs_[entry->second];
    const bool fits = run.count == 0 || (run.open && octets <= run.segment_octets && run.ecn == ecn &&
                                         run.count < kSegmentsMax && run.total_octets + octets <= kTransmitOctetsMax);
    if (fits || !run.wanted) return entry->second;
    entry->second = static_cast<std::uint32_t>(runs_.size());
  }
  Run run;
  run.source = key.source;
  run.group = key.group;
  run.ecn = ecn;
  run.wanted = is_new ? !relay_.targets(key.source, key.group).empty() : true;
  runs_.push_back(run);
  return entry->second;
}

void FanOut::lay_out_pieces(std::span<const CapturedDatagram> batch) {
  std::uint32_t first = 0;
  for (Run& run : runs_) {
    run.first_piece = first;
    first += run.count;
    run.count = 0;
  }
  pieces_.resize(first);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (run_of_[i] == kNoRun) continue;
    const MutableBytes message = batch[i].with_headroom();
    std::copy(wire::kDataHeader.begin(), wire::kDataHeader.end(), message.begin());
    Run& run = runs_[run_of_[i]];
    pieces_[run.first_piece + run.count++] = message;
  }
}

void FanOut::enqueue(std::uint32_t index) {
  const Run& run = runs_[index];
  const ReplicationTargets targets = relay_.targets(run.source, run.group);
  const std::span<const Bytes> pieces(pieces_.data() + run.first_piece, run.count);
  const std::uint64_t inner_octets = run.total_octets - run.count * wire::kDataHeaderOctets;
  relay_.count_channel(run.source, run.group, run.count, inner_octets);
  targets.for_each([&](TunnelId id) {
    const RelayTunnel& tunnel = relay_.tunnel(id);
    Queue& queue = queue_of(tunnel.local);
    queue.messages.push_back(Transmit{.to = tunnel.endpoint,
                                      .pieces = pieces,
                                      .segment_octets = run.count > 1 ? run.segment_octets : 0,
                                      // RFC 6040 §4.1: normal mode copies, compatibility mode sends Not-ECT (E-6040-a).
                                      .ecn = tunnel.ecn_capable ? run.ecn : Ecn::kNotEct});
    queue.origins.push_back({id, index});
    if (queue.messages.size() == kMessagesMax) flush(queue);
  });
}

void FanOut::flush(Queue& queue) {
  if (queue.messages.empty()) return;
  Counters<RelayCounter>& counters = relay_.counters();
  for (const Outgoing& origin : queue.origins) account(origin, 1);
  queue.socket->send(queue.messages, [&](std::size_t index, int code) {
    account(queue.origins[index], -1);
    counters.add(code == EMSGSIZE ? RelayCounter::kDataTooBig : RelayCounter::kDataSendErrors,
                 runs_[queue.origins[index].run].count);
  });
  queue.messages.clear();
  queue.origins.clear();
}

void FanOut::account(const Outgoing& origin, int copies) {
  // Unsigned arithmetic wraps, so adding minus one times a number takes it away.
  const auto sign = static_cast<std::uint64_t>(copies);
  const Run& run = runs_[origin.run];
  const std::uint64_t packets = sign * run.count;
  const std::uint64_t octets = sign * (run.total_octets - run.count * wire::kDataHeaderOctets);
  RelayTunnel& tunnel = relay_.tunnel(origin.tunnel);
  tunnel.packets += packets;
  tunnel.bytes += octets;
  relay_.counters().add(RelayCounter::kDataPacketsSent, packets);
  relay_.counters().add(RelayCounter::kDataBytesSent, octets);
}

FanOut::Queue& FanOut::queue_of(const LocalAddress& local) {
  const auto queue =
      std::ranges::find_if(queues_, [&](const Queue& candidate) { return candidate.socket->local() == local; });
  AMT_ASSERT(queue != queues_.end());
  return *queue;
}

}  // namespace amt
