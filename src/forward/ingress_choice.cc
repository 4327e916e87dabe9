#include "forward/ingress_choice.hh"

#include <algorithm>
#include <utility>

namespace amt {
namespace {

/// Channels that are looked at for a silent one, when there is no room.
constexpr int kTriesMax = 8;

/// 0 stands for no packet.
std::uint32_t short_mark(std::uint64_t mark) { return static_cast<std::uint32_t>(mark) | 1; }

}  // namespace

bool IngressChoice::ChannelState::forget(std::uint32_t mark) {
  const auto known = std::ranges::find(marks, mark);
  if (known == marks.end()) return false;
  *known = 0;
  return true;
}

void IngressChoice::ChannelState::remember(std::uint32_t mark) {
  marks[next_mark] = mark;
  next_mark = (next_mark + 1) % kMarks;
}

IngressChoice::ChannelState* IngressChoice::add(Instant now, const Key& key) {
  if (channels_.size() < kChannelsMax) {
    index_.emplace(key, static_cast<std::uint32_t>(channels_.size()));
    return &channels_.emplace_back(ChannelState{.key = key});
  }
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const std::size_t at = std::exchange(hand_, (hand_ + 1) % kChannelsMax);
    ChannelState& old = channels_[at];
    if (now - old.last < kForgotten) continue;
    index_.erase(old.key);
    index_.emplace(key, static_cast<std::uint32_t>(at));
    old = ChannelState{.key = key};
    return &old;
  }
  return nullptr;
}

bool IngressChoice::take(Instant now, std::uint32_t upstream, const IpAddress& source, const IpAddress& group,
                         std::uint64_t mark, const std::function<bool()>& is_wanted) {
  const Key key{source, group};
  const auto known = index_.find(key);
  ChannelState* channel = known == index_.end() ? nullptr : &channels_[known->second];
  if (channel == nullptr) {
    if (!is_wanted()) return true;
    channel = add(now, key);
    if (channel == nullptr) return true;
    channel->upstream = upstream;
    channel->last = now;
    channel->routes_version = routes_version_ - 1;
  }
  if (channel->routes_version != routes_version_) {
    channel->routes_version = routes_version_;
    channel->route = route_to_(source);
  }
  const std::uint32_t packet = short_mark(mark);
  if (upstream != channel->upstream) {
    const bool is_silent = now - channel->last >= kSilence;
    if (channel->route != upstream && !is_silent) return false;
    channel->upstream = upstream;
    channel->compared_until = now + kBehindMax;
  }
  channel->last = now;
  // The other upstream brought this packet already, and later packets of it may wait behind this one.
  if (now < channel->compared_until && channel->forget(packet)) return false;
  channel->remember(packet);
  return true;
}

}  // namespace amt
