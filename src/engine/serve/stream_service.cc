#include "engine/serve/stream_service.hh"

#include <numeric>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

}  // namespace

StreamService::StreamService(EventLoop& loop, StreamServiceOptions options, Random& random)
    : loop_(loop), options_(std::move(options)), random_(random), timer_(loop, [this] { on_timer(); }) {}
StreamService::~StreamService() = default;

Unexpected<StreamService::Refused> StreamService::refuse(StreamRefusal reason, std::string text) {
  ++refused_[static_cast<std::size_t>(reason)];
  return Unexpected<Refused>({reason, std::move(text)});
}

std::size_t StreamService::viewer_count() const {
  return std::accumulate(channels_.begin(), channels_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& one) { return sum + one.second->viewer_count(); });
}

ServedChannel* StreamService::find(const ChannelKey& key) const {
  const auto found = channels_.find(key);
  return found == channels_.end() ? nullptr : found->second.get();
}

Result<ServedChannel*, StreamService::Refused> StreamService::open(const ChannelKey& key) {
  if (viewer_count() >= options_.viewers_max) {
    return refuse(StreamRefusal::kViewers,
                  fmt::format("there are {} viewers already, the limit", options_.viewers_max));
  }
  if (ServedChannel* const running = find(key)) return running;
  if (channels_.size() >= options_.channels_max) {
    return refuse(StreamRefusal::kChannels,
                  fmt::format("{} other channels are being received already, the limit", options_.channels_max));
  }
  Result<ReceiverOptions, std::string> receiver = options_.receiver_options(key);
  if (!receiver) return refuse(StreamRefusal::kReceiver, receiver.error());
  SysResult<std::unique_ptr<ServedChannel>> channel =
      ServedChannel::create(loop_, key, std::move(*receiver), random_, options_.ring_octets, totals_);
  if (!channel) return refuse(StreamRefusal::kReceiver, channel.error().to_string());
  log_info("{}: received from now on", to_string(key));
  ServedChannel* const made = channel->get();
  channels_.emplace(key, std::move(*channel));
  if (!timer_.is_set()) timer_.set(monotonic_now() + kLookInterval);
  return made;
}

void StreamService::on_timer() {
  const Instant now = monotonic_now();
  for (auto one = channels_.begin(); one != channels_.end();) {
    const std::optional<Instant> unused = one->second->unused_since();
    if (!unused || now - *unused < options_.linger) {
      ++one;
      continue;
    }
    log_info("{}: left, since nobody watches it", to_string(one->first));
    one->second->shutdown();
    one = channels_.erase(one);
  }
  if (!channels_.empty()) timer_.set(now + kLookInterval);
}

void StreamService::shutdown() {
  for (const auto& [key, channel] : channels_) channel->shutdown();
  channels_.clear();
}

std::vector<ServedChannel::Status> StreamService::status(Instant now) const {
  std::vector<ServedChannel::Status> out;
  out.reserve(channels_.size());
  for (const auto& [key, channel] : channels_) out.push_back(channel->status(now));
  return out;
}

}  // namespace amt
