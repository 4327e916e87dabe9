#include "cli/received_channel.hh"

#include <algorithm>

#include "base/seconds.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kSilenceLogInterval = std::chrono::minutes(1);

}  // namespace

ReceivedChannel::ReceivedChannel(EventLoop& loop, const ReceiveConfig& config, ChannelUrl url,
                                 ReceivedChannelEvents events)
    : loop_(loop), config_(config), url_(std::move(url)), events_(std::move(events)), report_(config.verify) {}

SysResult<void> ReceivedChannel::open_output(const ReceiveOutput& output) {
  SysResult<std::unique_ptr<PayloadOutput>> opened = amt::open_output(output, config_.overwrite);
  if (!opened) return Unexpected<SysError>(opened.error());
  writer_.emplace(loop_, std::move(*opened), unwrapping(config_.rtp, output), url_.port, events_.on_output_failure);
  return {};
}

SysResult<void> ReceivedChannel::open_receiver(RelaySetOptions relays, Random& random) {
  ReceiverOptions options;
  options.relays = std::move(relays);
  options.channel = url_.channel;
  // The local network is joined by the port. Tunnels bring all ports of the group: repair packets have their own.
  const bool takes_repair = writer_ && writer_->takes_repair() && !config_.relay.native;
  if (!takes_repair) options.port = url_.port;
  options.native = config_.relay.native;
  options.native_interface = config_.relay.native_interface;
  started_ = last_arrival_ = monotonic_now();
  SysResult<std::unique_ptr<Receiver>> receiver =
      Receiver::create(loop_, std::move(options), random,
                       [this](Instant now, std::span<const Payload> packets) { on_packets(now, packets); });
  if (!receiver) return Unexpected<SysError>(receiver.error());
  receiver_ = std::move(*receiver);
  return {};
}

bool ReceivedChannel::take(Instant now, std::span<const Payload> packets) {
  taken_.clear();
  const std::uint64_t before = report_.packets();
  for (const Payload& packet : packets) {
    const bool is_media = !url_.port || packet.destination.port == *url_.port;
    if (!is_media && !(writer_ && writer_->takes(packet.destination.port))) {
      ++other_port_;
      continue;
    }
    if (is_media && config_.count && report_.packets() == *config_.count) break;
    if (is_media && report_.packets() == 0) {
      log_info("{}first packet after {} ms, from {}", label(),
               std::chrono::duration_cast<std::chrono::milliseconds>(now - started_).count(),
               packet.source.address.to_string());
    }
    if (is_media) report_.add(now, packet.octets);
    taken_.push_back(packet);
  }
  return report_.packets() != before;
}

void ReceivedChannel::on_packets(Instant now, std::span<const Payload> packets) {
  if (is_over_) return;
  if (take(now, packets)) {
    if (is_silence_logged_) {
      log_info("{}data comes again, after {:.1f} s", label(), seconds(now - last_arrival_));
      is_silence_logged_ = false;
    }
    last_arrival_ = now;
  }
  if (writer_) writer_->write(now, taken_);
  if (!config_.count || report_.packets() != *config_.count) return;
  is_over_ = true;
  events_.on_count();
}

std::string ReceivedChannel::label() const {
  return config_.urls.size() > 1 ? url_.channel.to_string() + ": " : std::string();
}

PayloadDrops ReceivedChannel::drops() const {
  PayloadDrops drops = receiver_->client().payload_drops();
  drops.other_port += other_port_;
  return drops;
}

std::string ReceivedChannel::reason_of_silence() const {
  const PayloadDrops dropped = drops();
  if (report_.packets() == 0 && dropped.other_port != 0) {
    return fmt::format("{} packets came for other UDP ports of the group", dropped.other_port);
  }
  if (report_.packets() == 0 && dropped.not_udp != 0) return "what comes is not UDP";
  return receiver_->reason_of_silence();
}

void ReceivedChannel::log_silence(Instant now) {
  if (is_silence_logged_) return;
  if (silence_logged_ != Instant::min() && now - silence_logged_ < kSilenceLogInterval) return;
  silence_logged_ = now;
  const bool came_before = report_.packets() != 0;
  is_silence_logged_ = came_before;
  const double silence = seconds(now - last_arrival_);
  if (came_before) return log_warn("{}data stopped {:.0f} s ago: {}", label(), silence, reason_of_silence());
  log_warn("{}nothing came in {:.0f} s: {}", label(), silence, reason_of_silence());
}

void ReceivedChannel::close() {
  if (writer_) writer_->finish();
  is_over_ = true;
  if (config_.urls.size() > 1) surroundings_.channel = url_.channel.to_string();
  surroundings_.started = started_;
  surroundings_.ended = monotonic_now();
  surroundings_.drops = drops();
  surroundings_.output_dropped = writer_ ? writer_->dropped() : 0;
  surroundings_.late = writer_ ? writer_->late() : 0;
  surroundings_.repaired = writer_ ? writer_->repaired() : 0;
  // The last that was taken.
  receiver_->client().for_each_relay([this](const Endpoint& one, const Gateway&) { surroundings_.relay = one; });
  surroundings_.native = receiver_->native();
  receiver_->shutdown();
}

std::string recording_name(const ChannelUrl& url) {
  std::string name = url.channel.to_string();
  if (url.port) name += "_" + std::to_string(*url.port);
  std::ranges::replace(name, ':', '-');
  std::ranges::replace(name, '@', '_');
  std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
  return name + ".ts";
}

}  // namespace amt
