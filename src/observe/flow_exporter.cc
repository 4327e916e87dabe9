#include "observe/flow_exporter.hh"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "sys/clock.hh"
#include "sys/log_limiter.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

/// One relay is one Observation Domain.
constexpr std::uint32_t kDomain = 1;
/// How long a full socket buffer is waited for.
constexpr int kPatienceMilliseconds = 50;

FlowEnd reason_of(const RelayEvent& event) {
  if (event.kind == RelayEvent::Kind::kFlow) return event.is_idle ? FlowEnd::kIdle : FlowEnd::kActive;
  const bool is_forced = event.reason == EndReason::kShutDown || event.reason == EndReason::kDrained;
  return is_forced ? FlowEnd::kForced : FlowEnd::kEnded;
}

}  // namespace

std::optional<FlowRecord> flow_of(const RelayEvent& event, const WallClock& clock) {
  if (event.kind != RelayEvent::Kind::kFlow && event.kind != RelayEvent::Kind::kChannelEnd) return std::nullopt;
  if (event.packets == event.told.packets) return std::nullopt;
  return FlowRecord{.gateway = event.endpoint,
                    .channel = event.channel,
                    .start = clock.at(event.told.until),
                    .end = clock.at(event.at),
                    .packets = event.packets - event.told.packets,
                    .octets = event.octets - event.told.octets,
                    .reason = reason_of(event)};
}

SysResult<UniqueFd> FlowExporter::connect(const Endpoint& collector) {
  const int family = collector.address.is_v4() ? AF_INET : AF_INET6;
  UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Unexpected<SysError>(SysError::last("socket", collector.to_string()));
  const SocketAddress address(collector);
  if (::connect(fd.get(), address.data(), address.size()) != 0) {
    return Unexpected<SysError>(SysError::last("connect", collector.to_string()));
  }
  return fd;
}

FlowExporter::FlowExporter(EventLoop& loop, UniqueFd socket)
    : loop_(loop), socket_(std::move(socket)), writer_(kDomain) {}

void FlowExporter::add(const std::vector<RelayEvent>& events, bool at_end) {
  const WallClock clock{monotonic_now(), wall_now()};
  std::vector<FlowRecord> records;
  for (const RelayEvent& event : events) {
    if (std::optional<FlowRecord> record = flow_of(event, clock)) records.push_back(std::move(*record));
  }
  if (records.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    waiting_.insert(waiting_.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
    if (!at_end && std::exchange(is_posted_, true)) return;
  }
  if (at_end) return send_waiting();
  loop_.post([this] { send_waiting(); });
}

void FlowExporter::send_waiting() {
  std::vector<FlowRecord> records;
  {
    const std::scoped_lock lock(mutex_);
    records = std::exchange(waiting_, {});
    is_posted_ = false;
  }
  for (const std::vector<std::byte>& message : writer_.write(wall_now(), records)) {
    ssize_t sent = ::send(socket_.get(), message.data(), message.size(), 0);
    if (sent < 0 && errno == EAGAIN) {
      pollfd room{socket_.get(), POLLOUT, 0};
      ::poll(&room, 1, kPatienceMilliseconds);
      sent = ::send(socket_.get(), message.data(), message.size(), 0);
    }
    // ECONNREFUSED is of an earlier message: the collector is not there.
    if (sent < 0) log_warn_limited("ipfix", "--ipfix: {}", SysError::last("send").to_string());
  }
}

}  // namespace amt
