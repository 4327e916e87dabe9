#include "engine/relay/upstream_screen.hh"

#include <algorithm>

#include "forward/packet_mark.hh"
#include "sys/log.hh"

namespace amt {
namespace {

// How soon a changed route is noticed.
constexpr Duration kRoutePollInterval = std::chrono::milliseconds(200);
constexpr Duration kReturnInterval = std::chrono::minutes(1);

}  // namespace

UpstreamScreen::UpstreamScreen(Relay& relay, Random& random, OnReturn on_return)
    : relay_(relay),
      on_return_(std::move(on_return)),
      choice_([this](const IpAddress& source) { return upstream_towards(source); }, random) {}

void UpstreamScreen::set_upstream(std::uint32_t number, int interface, bool may_return) {
  if (number >= upstreams_.size()) upstreams_.resize(number + 1);
  upstreams_[number] = {interface, may_return};
  may_return_ = std::ranges::any_of(upstreams_, &Place::may_return);
  choice_.forget_routes();
  if (upstreams_.size() < 2 || routes_) return;
  SysResult<NextHopQueries> routes = NextHopQueries::open();
  if (routes) {
    routes_ = std::move(*routes);
  } else {
    log_warn("channels are taken from the upstream that brings them first, whatever the routes: {}",
             routes.error().to_string());
  }
}

void UpstreamScreen::screen_each(Instant now, std::uint32_t upstream, std::vector<CapturedDatagram>& batch) {
  if (now >= next_poll_) poll_routes(now);
  std::erase_if(batch, [&](const CapturedDatagram& datagram) { return !take(now, upstream, datagram); });
}

bool UpstreamScreen::take(Instant now, std::uint32_t upstream, const CapturedDatagram& datagram) {
  const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram.bytes);
  // The fan-out judges it.
  if (!addresses) return true;
  const IpAddress& source = addresses->source;
  const IpAddress& group = addresses->destination;
  const std::uint64_t mark = packet_mark(datagram.bytes);
  const std::uint8_t hop_limit = hop_limit_of(datagram.bytes);
  const auto is_wanted = [&] { return !relay_.targets(source, group).empty(); };
  // By reference: a copy would be allocated for each packet.
  const bool is_chosen = upstreams_.size() < 2 ||
                         choice_.take(now, upstream, source, group, mark, std::function<bool()>(std::cref(is_wanted)));
  if (may_return_ || now < loops_until_) {
    const std::optional<std::uint32_t> first = loops_.came_back(now, mark, hop_limit);
    if (first) {
      relay_.counters().add(RelayCounter::kDataReturned);
      // By two ways, neither of which leads through a gateway, a packet may come with different hop limits.
      if (is_chosen || upstreams_[upstream].may_return) note_return(now, {*first, upstream, source, group});
      return false;
    }
    if (is_chosen) loops_.remember(now, upstream, mark, hop_limit);
  }
  if (!is_chosen) relay_.counters().add(RelayCounter::kDataOtherUpstream);
  return is_chosen;
}

void UpstreamScreen::note_return(Instant now, const ReturnedPacket& packet) {
  if (now < next_return_) return;
  next_return_ = now + kReturnInterval;
  on_return_(packet);
}

void UpstreamScreen::poll_routes(Instant now) {
  next_poll_ = now + kRoutePollInterval;
  if (routes_ && routes_->poll_changes([](const NeighbourChange&) {})) choice_.forget_routes();
}

std::optional<std::uint32_t> UpstreamScreen::upstream_towards(const IpAddress& source) {
  if (!routes_) return std::nullopt;
  const std::optional<FlowRoute> route = routes_->route({IpAddress::unspecified(source.family()), 0}, {source, 0});
  if (!route) return std::nullopt;
  const auto place = std::ranges::find(upstreams_, route->interface, &Place::interface);
  if (place == upstreams_.end()) return std::nullopt;
  return static_cast<std::uint32_t>(place - upstreams_.begin());
}

}  // namespace amt
