#include "engine/relay/fan_out.hh"

#include <algorithm>

#include "base/assert.hh"
#include "ip/fragment.hh"

namespace amt {
namespace {

// Messages that wait for one sendmmsg call.
constexpr std::size_t kMessagesMax = 1024;
constexpr std::uint32_t kNoRun = UINT32_MAX;
// 2^32 over the golden ratio: its multiples are spread evenly over any number of tunnels.
constexpr std::size_t kStartStep = 2654435769U;

}  // namespace

FanOut::FanOut(Relay& relay, std::span<UdpSocket* const> sockets, ReplicationBackEnd& back_end, Random& random,
               const PathMtuOptions& path_mtu, TooBigListener* too_big, const RateCapOptions& rate_cap)
    : relay_(relay),
      narrow_paths_(path_mtu),
      probes_(random),
      rate_cap_(rate_cap),
      too_big_listener_(too_big),
      back_end_(back_end) {
  queues_.resize(sockets.size());
  for (std::size_t i = 0; i < sockets.size(); ++i) queues_[i].socket = sockets[i];
}

void FanOut::replicate(Instant now, std::span<const CapturedDatagram> batch, HopLimit hop_limit) {
  now_ = now;
  runs_.clear();
  open_run_of_.clear();
  run_of_.assign(batch.size(), kNoRun);
  Counters<RelayCounter>& counters = relay_.counters();
  counters.add(RelayCounter::kDataPacketsIn, batch.size());
  std::uint64_t octets_in = 0;

  for (std::size_t i = 0; i < batch.size(); ++i) {
    octets_in += batch[i].bytes.size();
    const Result<DatagramAddresses, IpError> addresses = peek_addresses(batch[i].bytes);
    if (!addresses) {
      counters.add(RelayCounter::kDataMalformed);
      continue;
    }
    const ChannelKey key{addresses->source, addresses->destination};
    const std::uint32_t run =
        assign(key, static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets), addresses->ecn);
    if (!runs_[run].wanted) {
      counters.add(RelayCounter::kDataPacketsNoListener);
      continue;
    }
    if (hop_limit == HopLimit::kLower && !decrement_hop_limit(batch[i].bytes)) {
      counters.add(RelayCounter::kDataHopLimitExceeded);
      continue;
    }
    Run& joined = runs_[run];
    const auto octets = static_cast<std::uint32_t>(batch[i].bytes.size() + wire::kDataHeaderOctets);
    if (joined.count == 0) {
      joined.segment_octets = octets;
      joined.ecn = addresses->ecn;
    }
    joined.open = octets == joined.segment_octets;
    joined.total_octets += octets;
    ++joined.count;
    run_of_[i] = run;
  }

  counters.add(RelayCounter::kDataBytesIn, octets_in);
  lay_out_pieces(batch);
  narrow_paths_.forget_old(now);
  // Before the data: where ICMP errors are limited in rate, the next one shall be for a probe.
  if (probes_.is_asking()) send_probes(now);
  for (std::uint32_t run = 0; run < runs_.size(); ++run) {
    if (runs_[run].count != 0) enqueue(now, run);
  }
  for (Queue& queue : queues_) flush(now, queue);
  start_ += kStartStep;
  report_too_big(now);
  end_unreachable(now);
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

std::span<const Bytes> FanOut::pieces_of(const Run& run) const {
  return std::span(pieces_).subspan(run.first_piece, run.count);
}

void FanOut::enqueue(Instant now, std::uint32_t index) {
  const Run& run = runs_[index];
  const std::uint64_t inner_octets = run.total_octets - run.count * wire::kDataHeaderOctets;
  relay_.count_channel(run.source, run.group, run.count, inner_octets);
  const auto enqueue_for = [&](TunnelId id) {
    const RelayTunnel& tunnel = relay_.tunnel(id);
    Queue& queue = queue_of(tunnel.local);
    const std::optional<NarrowPaths::Room> room = narrow_paths_.room(now, tunnel.endpoint);
    if (room && run.segment_octets - wire::kDataHeaderOctets > room->inner_octets_max) {
      if (room->octets_to_ask != 0) probes_.ask(now, tunnel.endpoint, room->octets_to_ask);
      enqueue_apart(queue, id, index, *room);
    } else {
      push(queue, {id, index, run.count, inner_octets, run.first_piece}, pieces_of(run),
           run.count > 1 ? run.segment_octets : 0);
    }
    if (queue.messages.size() >= kMessagesMax) flush(now, queue);
  };
  relay_.targets(run.source, run.group).for_each(enqueue_for, start_);
}

void FanOut::enqueue_apart(Queue& queue, TunnelId id, std::uint32_t index, const NarrowPaths::Room& room) {
  const Run& run = runs_[index];
  for (std::uint32_t piece = run.first_piece; piece < run.first_piece + run.count; ++piece) {
    const std::size_t inner_octets = pieces_[piece].size() - wire::kDataHeaderOctets;
    if (inner_octets > room.inner_octets_max) {
      enqueue_fragments(queue, id, index, piece, pieces_[piece], room);
    } else {
      push(queue, {id, index, 1, inner_octets, piece}, {&pieces_[piece], 1}, 0);
    }
  }
}

void FanOut::enqueue_fragments(Queue& queue, TunnelId id, std::uint32_t index, std::uint32_t piece, Bytes message,
                               const NarrowPaths::Room& room) {
  // RFC 7450 §5.3.3.6.2.1: with DF=0 "the relay MUST fragment the datagram and encapsulate each fragment within a
  // separate Multicast Data message"; with DF=1, and IPv6 (§5.3.3.6.2.2), it "MUST discard the datagram".
  const Bytes inner = message.subspan(wire::kDataHeaderOctets);
  const Result<DatagramView, IpError> datagram = DatagramView::parse(inner);
  std::vector<std::vector<std::byte>> fragments;
  if (datagram) fragments = fragment_ipv4(*datagram, room.inner_octets_max);
  if (fragments.empty()) {
    relay_.counters().add(RelayCounter::kDataTooBig);
    oversize_.add({.source = runs_[index].source, .group = runs_[index].group}, relay_.tunnel(id).endpoint,
                  inner.size(), room.inner_octets_max);
    // §5.3.3.6.2.1 goes on: "send an ICMPv4 Destination Unreachable message to the source". The source hears of a
    // gateway's path only if the operator wants it: one gateway could slow the channel down for all.
    if (piece != kFragment && inner.size() > room.told_octets_max) note_too_big(piece, room.told_octets_max);
  }
  for (std::vector<std::byte>& fragment : fragments) {
    const std::size_t octets = fragment.size();
    fragment.insert(fragment.begin(), wire::kDataHeader.begin(), wire::kDataHeader.end());
    queue.fragments.push_back(std::move(fragment));
    queue.fragment_pieces.push_back(queue.fragments.back());
    push(queue, {id, index, 1, octets, kFragment}, {&queue.fragment_pieces.back(), 1}, 0);
  }
}

void FanOut::note_too_big(std::size_t piece, std::size_t inner_octets_max) {
  too_big_.resize(pieces_.size());
  std::size_t& smallest = too_big_[piece];
  smallest = smallest == 0 ? inner_octets_max : std::min(smallest, inner_octets_max);
}

void FanOut::report_too_big(Instant now) {
  // RFC 7450 §5.3.3.6.2.1: "send a single ICMP message with a Next-Hop MTU equal to the smallest TMTU of all tunnels to
  // which the datagram was to be forwarded" (R-5.3.3.6.2.1-c).
  for (std::size_t piece = 0; piece < too_big_.size() && too_big_listener_ != nullptr; ++piece) {
    if (too_big_[piece] == 0) continue;
    too_big_listener_->report(now, pieces_[piece].subspan(wire::kDataHeaderOctets), too_big_[piece]);
  }
  too_big_.clear();
}

bool FanOut::admit(Outgoing& origin, std::span<const Bytes>& pieces) {
  const bool is_v4 = relay_.tunnel(origin.tunnel).endpoint.address.is_v4();
  const std::size_t outer_octets = (is_v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets) + kUdpHeaderOctets;
  std::uint64_t inner_octets = 0;
  for (std::uint32_t i = 0; i < pieces.size(); ++i) {
    const RateCap::Verdict verdict = rate_cap_.admit(now_, origin.tunnel, pieces[i].size() + outer_octets);
    if (verdict != RateCap::Verdict::kGo) {
      relay_.counters().add(
          verdict == RateCap::Verdict::kTunnelFull ? RelayCounter::kDataTunnelRate : RelayCounter::kDataTotalRate,
          pieces.size() - i);
      origin.packets = i;
      origin.octets = inner_octets;
      pieces = pieces.first(i);
      break;
    }
    inner_octets += pieces[i].size() - wire::kDataHeaderOctets;
  }
  return !pieces.empty();
}

void FanOut::push(Queue& queue, Outgoing origin, std::span<const Bytes> pieces, std::size_t segment_octets) {
  if (!rate_cap_.is_on() || admit(origin, pieces)) append(queue, origin, pieces, segment_octets);
}

void FanOut::append(Queue& queue, const Outgoing& origin, std::span<const Bytes> pieces, std::size_t segment_octets) {
  const RelayTunnel& tunnel = relay_.tunnel(origin.tunnel);
  queue.messages.push_back(Transmit{.to = tunnel.endpoint,
                                    .pieces = pieces,
                                    .segment_octets = segment_octets,
                                    // RFC 6040 §4.1: normal mode copies, compatibility mode sends Not-ECT (E-6040-a);
                                    // fragments have the ECN of the whole (E-9601-g).
                                    .ecn = tunnel.ecn_capable ? runs_[origin.run].ecn : Ecn::kNotEct,
                                    .slot = static_cast<std::uint32_t>(origin.tunnel)});
  queue.origins.push_back(origin);
}

FanOut::Queue& FanOut::queue_of(const LocalAddress& local) {
  const auto queue =
      std::ranges::find_if(queues_, [&](const Queue& candidate) { return candidate.socket->local() == local; });
  AMT_ASSERT(queue != queues_.end());
  return *queue;
}

}  // namespace amt
