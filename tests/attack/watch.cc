/// Those whom an attack must not reach.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "attacks.hh"
#include "crowd.hh"
#include "ip/udp.hh"
#include "media/test_pattern.hh"
#include "sys/clock.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt::attack {
namespace {

/// Until a Request or an Update without effect is sent again, as an ordinary gateway does.
constexpr Duration kAgain = std::chrono::seconds(1);
/// Before the relay would end a silent tunnel, also at the shortest query interval.
constexpr Duration kRefresh = std::chrono::seconds(4);
/// A newcomer that has seen nothing by then has failed.
constexpr Duration kGivenUp = std::chrono::seconds(5);

/// One packet at one gateway, as it stands in the file (this machine's octet order): the test reads them all.
struct Arrival {
  std::uint32_t watcher;
  std::uint32_t sequence;
  std::int64_t sent_nanoseconds;
  std::int64_t arrived_nanoseconds;
};
static_assert(sizeof(Arrival) == 24);

std::int64_t nanoseconds(Instant at) { return at.time_since_epoch().count(); }

std::optional<TestPacket> test_packet(Bytes inner) {
  const auto datagram = DatagramView::parse(inner);
  if (!datagram) return std::nullopt;
  const auto udp = UdpView::parse(*datagram);
  if (!udp) return std::nullopt;
  const auto packet = parse_test_packet(udp->payload);
  return packet ? std::optional(*packet) : std::nullopt;
}

CrowdOptions crowd_options(const Options& options, std::size_t tunnels) {
  return {options.addresses("relay"), options.addresses("local"), tunnels, options.address("group").family()};
}

std::array<GroupRecord, 1> join_of(const Options& options) {
  return {GroupRecord{RecordType::kAllowNewSources, options.address("group"), {options.address("source")}}};
}

/// Milliseconds from the Request to the first packet; negative: none came.
double join_once(const Options& options, std::size_t turn) {
  CrowdOptions who = crowd_options(options, 1);
  who.locals = {who.locals[turn % who.locals.size()]};
  who.port = static_cast<std::uint16_t>(options.number("port", 0));
  Crowd crowd(who);
  Tunnel& tunnel = crowd.tunnels().front();
  const auto join = join_of(options);
  const Instant start = monotonic_now();
  Instant arrived = kNoDeadline;
  Instant again = start;
  bool joined = false;
  while (arrived == kNoDeadline && monotonic_now() < start + kGivenUp) {
    if (monotonic_now() >= again) {
      again = monotonic_now() + kAgain;
      if (tunnel.granted) {
        crowd.send_report(tunnel, join);
      } else {
        crowd.send_request(tunnel);
      }
    }
    crowd.receive(std::chrono::milliseconds(5), [&](Tunnel&, Bytes inner, Bytes) {
      if (arrived == kNoDeadline && test_packet(inner)) arrived = monotonic_now();
    });
    if (tunnel.granted && !joined) {
      joined = true;
      crowd.send_report(tunnel, join);
      again = monotonic_now() + kAgain;
    }
  }
  crowd.send_teardown(tunnel);
  return arrived == kNoDeadline ? -1 : std::chrono::duration<double, std::milli>(arrived - start).count();
}

/// One line: the local port of each watcher, by number.
void print_ports(Crowd& crowd) {
  std::printf("[");
  for (const Tunnel& tunnel : crowd.tunnels()) {
    SocketAddress local;
    socklen_t octets = SocketAddress::capacity();
    if (::getsockname(tunnel.socket.get(), local.data(), &octets) != 0) fail("getsockname", std::strerror(errno));
    std::printf("%s%u", tunnel.number == 0 ? "" : ", ", local.endpoint() ? unsigned{local.endpoint()->port} : 0U);
  }
  std::printf("]\n");
  std::fflush(stdout);
}

}  // namespace

int run_watch(const Options& options) {
  const std::string& path = options.text("file");
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600));
  if (!file) fail(path, std::strerror(errno));
  Crowd crowd(crowd_options(options, options.number("count", 8)));
  const auto join = join_of(options);
  crowd.request_all(std::chrono::seconds(5));
  for (Tunnel& tunnel : crowd.tunnels()) crowd.send_report(tunnel, join);
  print_ports(crowd);
  const Instant end = monotonic_now() + options.milliseconds("milliseconds", 60'000);
  std::vector<Arrival> arrivals;
  Instant refresh = monotonic_now() + kRefresh;
  while (monotonic_now() < end) {
    if (monotonic_now() >= refresh) {
      refresh += kRefresh;
      for (Tunnel& tunnel : crowd.tunnels()) crowd.send_report(tunnel, join);
    }
    crowd.receive(std::chrono::milliseconds(100), [&](Tunnel& tunnel, Bytes inner, Bytes) {
      if (const auto packet = test_packet(inner)) {
        arrivals.push_back({static_cast<std::uint32_t>(tunnel.number), packet->sequence, nanoseconds(packet->sent),
                            nanoseconds(monotonic_now())});
      }
    });
    const std::size_t octets = arrivals.size() * sizeof(Arrival);
    if (octets > 0 && ::write(file.get(), arrivals.data(), octets) != static_cast<ssize_t>(octets)) {
      fail(path, std::strerror(errno));
    }
    arrivals.clear();
  }
  return 0;
}

int run_newcomers(const Options& options) {
  const Duration interval = options.milliseconds("every_milliseconds", 250);
  const Instant end = monotonic_now() + options.milliseconds("milliseconds", 60'000);
  Instant next = monotonic_now();
  for (std::size_t turn = 0; next < end; ++turn) {
    const std::int64_t at = nanoseconds(monotonic_now());
    const double took = join_once(options, turn);
    std::printf("{\"at\": %lld, \"milliseconds\": %.2f}\n", static_cast<long long>(at), took);
    std::fflush(stdout);
    next = std::max(next + interval, monotonic_now());
    while (monotonic_now() < next) ::usleep(1000);
  }
  return 0;
}

}  // namespace amt::attack
