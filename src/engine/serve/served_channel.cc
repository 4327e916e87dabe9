#include "engine/serve/served_channel.hh"

#include <algorithm>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
/// Data that is missing for this long is shown in the status.
constexpr Duration kSilence = std::chrono::seconds(3);
/// The part of the ring that is sent at once when it waits, at any pace.
constexpr std::size_t kUrgentShare = 32;

}  // namespace

std::string to_string(const ChannelKey& key) {
  const std::string group = Endpoint{key.channel.group, key.port}.to_string();
  if (!key.channel.source) return group;
  const std::string source = key.channel.source->to_string();
  return (key.channel.source->is_v4() ? source : "[" + source + "]") + "@" + group;
}

SysResult<std::unique_ptr<ServedChannel>> ServedChannel::create(EventLoop& loop, const ChannelKey& key,
                                                                ReceiverOptions options, Random& random,
                                                                std::size_t ring_octets, ServeTotals& totals) {
  std::unique_ptr<ServedChannel> channel(new ServedChannel(loop, key, ring_octets, totals));
  options.channel = key.channel;
  // The local network is joined by the port. Tunnels bring all ports of the group: repair packets have their own.
  if (options.native) options.port = key.port;
  SysResult<std::unique_ptr<Receiver>> receiver = Receiver::create(
      loop, std::move(options), random,
      [raw = channel.get()](Instant now, std::span<const Payload> packets) { raw->on_packets(now, packets); });
  if (!receiver) return Unexpected<SysError>(receiver.error());
  channel->receiver_ = std::move(*receiver);
  return channel;
}

ServedChannel::ServedChannel(EventLoop& loop, ChannelKey key, std::size_t ring_octets, ServeTotals& totals)
    : loop_(loop),
      key_(std::move(key)),
      totals_(totals),
      stream_(ring_octets),
      reception_(RtpUnwrapper::Mode::kTransportStreams, key_.port),
      last_used_(monotonic_now()),
      rtp_timer_(loop,
                 [this] {
                   const Instant now = monotonic_now();
                   take(now, reception_.handle_timeout(now));
                   set_rtp_timer();
                 }),
      flush_timer_(loop, [this] { flush(); }),
      second_timer_(loop, [this] { on_second(); }) {
  second_timer_.set(last_used_ + kSecond);
}

ServedChannel::~ServedChannel() = default;

void ServedChannel::shutdown() {
  viewers_.clear();
  waiting_.clear();
  receiver_->shutdown();
}

void ServedChannel::on_packets(Instant now, std::span<const Payload> packets) {
  datagrams_.clear();
  for (const Payload& packet : packets) {
    if (!reception_.takes(packet.destination.port)) continue;
    datagrams_.push_back({packet.destination.port, packet.octets});
    octets_ += packet.octets.size();
    totals_.received_octets += packet.octets.size();
  }
  if (datagrams_.empty()) return;
  packets_ += datagrams_.size();
  totals_.packets += datagrams_.size();
  if (last_data_ != Instant{} && now - last_data_ >= kSilence) stream_.resynchronise();
  last_data_ = now;
  take(now, reception_.handle_datagrams(now, datagrams_));
  set_rtp_timer();
}

void ServedChannel::take(Instant now, std::span<const Bytes> payloads) {
  for (const Bytes payload : payloads) {
    stream_.add(now, payload);
    if (stream_.ring().end() - flushed_to_ > stream_.ring().capacity() / kUrgentShare) flush();
  }
  if (hls_) hls_->update(stream_);
  if (!waiting_.empty()) answer_waiting();
  if (flushed_to_ != stream_.ring().end()) schedule_flush(now);
}

void ServedChannel::set_rtp_timer() { rtp_timer_.set(reception_.next_deadline()); }

/// Data that came after a rest leaves at once.
void ServedChannel::schedule_flush(Instant now) {
  if (viewers_.empty() || flush_timer_.is_set()) return;
  const auto share = kFlushShare * static_cast<std::int64_t>(viewers_.size());
  flush_timer_.set(std::max(now, last_flush_ + std::clamp<Duration>(share, kFlushMin, kFlushMax)));
}

void ServedChannel::flush() {
  last_flush_ = monotonic_now();
  flushed_to_ = stream_.ring().end();
  for (auto viewer = viewers_.begin(); viewer != viewers_.end();) {
    const auto next = std::next(viewer);
    send_to(*viewer, last_flush_);
    if (viewer->has_failed()) drop_viewer(viewer);
    viewer = next;
  }
}

void ServedChannel::send_to(StreamViewer& viewer, Instant now) {
  const std::uint64_t sent_before = viewer.sent_octets();
  const std::uint64_t skips_before = viewer.skips();
  const std::uint64_t skipped_before = viewer.skipped_octets();
  viewer.send(now);
  totals_.sent_octets += viewer.sent_octets() - sent_before;
  totals_.skipped_octets += viewer.skipped_octets() - skipped_before;
  if (viewer.skips() == skips_before) return;
  ++skips_;
  ++totals_.skips;
  log_debug("{}: the viewer {} is too slow and goes on at a newer place", to_string(key_), viewer.name());
}

void ServedChannel::drop_viewer(std::list<StreamViewer>::iterator viewer) {
  if (viewer->skips() == 0) {
    log_debug("{}: {} has left, after {} octets", to_string(key_), viewer->name(), viewer->sent_octets());
  } else {
    log_info("{}: {} has left; its connection was too slow for the stream, {} octets were skipped in {} places",
             to_string(key_), viewer->name(), viewer->skipped_octets(), viewer->skips());
  }
  viewers_.erase(viewer);
  last_used_ = monotonic_now();
}

void ServedChannel::add_viewer(UniqueFd socket, std::string name) {
  const Instant now = monotonic_now();
  last_used_ = now;
  if (stream_.latest_start() == nullptr) return;  // overtaken while the header was written: the player asks again
  log_debug("{}: {} watches", to_string(key_), name);
  ++totals_.viewers;
  const auto place = viewers_.emplace(viewers_.end(), loop_, stream_, std::move(socket), std::move(name));
  place->on_events([this, place] { drop_viewer(place); }, [this, place] { catch_up(*place); });
  place->begin(now);
  catch_up(*place);
}

/// A viewer that joins, or whose connection was full, gets what is there as fast as its connection takes it.
void ServedChannel::catch_up(StreamViewer& viewer) {
  const Instant now = monotonic_now();
  send_to(viewer, now);
  // The viewer is not destroyed here: its own handler may be running.
  if (viewer.has_failed()) schedule_flush(now);
}

void ServedChannel::await_start(Duration wait_max, StartHandler done) {
  waiting_.push_back({.until = monotonic_now() + wait_max, .done = std::move(done)});
  answer_waiting();
}

void ServedChannel::await_segment(Duration wait_max, StartHandler done) {
  if (!hls_) hls_.emplace().update(stream_);
  hls_used_ = monotonic_now();
  waiting_.push_back({.until = hls_used_ + wait_max, .for_segment = true, .done = std::move(done)});
  answer_waiting();
}

const HlsSegmenter* ServedChannel::use_hls(Instant now) {
  if (!hls_) return nullptr;
  hls_used_ = last_used_ = now;
  return &*hls_;
}

bool ServedChannel::is_ready(const Waiting& one) const {
  return one.for_segment ? hls_ && !hls_->is_empty() : stream_.latest_start() != nullptr;
}

void ServedChannel::answer_waiting() {
  // A handler may add another, behind those that are here.
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    const auto next = std::next(one);
    if (is_ready(*one)) {
      last_used_ = monotonic_now();
      const StartHandler done = std::move(one->done);
      waiting_.erase(one);
      done(std::nullopt);
    }
    one = next;
  }
}

void ServedChannel::on_second() {
  const Instant now = monotonic_now();
  second_timer_.set(now + kSecond);
  bits_per_second_ = (octets_ - octets_a_second_ago_) * 8;
  octets_a_second_ago_ = octets_;
  for (auto one = waiting_.begin(); one != waiting_.end();) {
    if (now < one->until) {
      ++one;
      continue;
    }
    const StartHandler done = std::move(one->done);
    one = waiting_.erase(one);
    last_used_ = now;
    done(reason_of_waiting());
  }
  if (hls_ && now - hls_used_ > kHlsIdle) {
    hls_.reset();
    last_used_ = now;
  }
  for (auto viewer = viewers_.begin(); viewer != viewers_.end();) {
    const auto next = std::next(viewer);
    if (viewer->is_stalled(now)) {
      ++totals_.stalled;
      drop_viewer(viewer);
    }
    viewer = next;
  }
}

std::string ServedChannel::reason_of_waiting() const {
  if (packets_ == 0) return "nothing has arrived: " + receiver_->reason_of_silence();
  if (stream_.meter().packets() == 0) return "what arrives is no MPEG-TS, neither alone nor in RTP";
  return "the stream has had no key frame yet";
}

std::optional<Instant> ServedChannel::unused_since() const {
  if (!viewers_.empty() || !waiting_.empty() || hls_) return std::nullopt;
  return last_used_;
}

ServedChannel::Status ServedChannel::status(Instant now) const {
  Status out;
  out.key = key_;
  const bool is_silent = packets_ != 0 && now - last_data_ >= kSilence;
  out.state = stream_.latest_start() == nullptr ? "waiting" : is_silent ? "silent" : "playing";
  if (out.state == "waiting") out.reason = reason_of_waiting();
  if (out.state == "silent") out.reason = receiver_->reason_of_silence();
  out.service_name = stream_.programs().service_name();
  if (!stream_.programs().programs().empty()) {
    for (const ElementaryStream& one : stream_.programs().programs().front().streams) {
      if (one.kind != StreamKind::kOther) out.streams.emplace_back(name_of(one.kind));
    }
  }
  out.is_scrambled = stream_.is_scrambled();
  out.viewers_waiting = waiting_.size();
  out.is_read_by_hls = hls_.has_value();
  for (const StreamViewer& one : viewers_) {
    out.viewers.push_back({one.name(), one.sent_octets(), one.behind_octets(), one.skips(), now - one.since()});
  }
  out.packets = packets_;
  out.octets = octets_;
  out.bits_per_second = bits_per_second_;
  out.lost = stream_.meter().lost();
  out.discarded_octets = stream_.discarded_octets();
  out.late = reception_.counts().late;
  out.duplicates = reception_.counts().duplicates;
  out.repaired = reception_.repaired();
  out.skips = skips_;
  receiver_->client().for_each_relay([&out](const Endpoint& one, const Gateway&) { out.relays.push_back(one); });
  if (packets_ != 0) out.served_by = ServedBy::kTunnel;
  if (const std::optional<Receiver::Native> native = receiver_->native()) {
    out.native_interface = native->interface;
    receiver_->client().for_each_channel([&out](const Channel&, ServedBy served) { out.served_by = served; });
  }
  if (packets_ != 0) out.silence = now - last_data_;
  out.memory_octets =
      std::min<std::uint64_t>(stream_.ring().end(), stream_.ring().capacity()) + (hls_ ? hls_->octets() : 0);
  return out;
}

}  // namespace amt
