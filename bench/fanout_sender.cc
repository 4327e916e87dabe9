/// One sendto call per datagram and destination, at a steady pace: the multicast source, and the baseline that the
/// relay is compared with. Prints: datagrams sent, how many failed, nanoseconds of CPU that the loop took.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "arguments.hh"
#include "cpu_time.hh"
#include "sys/clock.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"
#include "wire/message.hh"

namespace {

// Whatever happens, it ends.
constexpr unsigned kSecondsMax = 60;

void sleep_until(amt::Instant at) {
  const amt::Duration since_start = at.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_start);
  const timespec time{seconds.count(), (since_start - seconds).count()};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

amt::UniqueFd open_socket(const amt::Endpoint& from, const amt::Endpoint& to) {
  const int family = amt::address_family(from.address.family());
  amt::UniqueFd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const amt::SocketAddress local(from);
  if (::bind(socket.get(), local.data(), local.size()) != 0) amt::Arguments::fail("bind", std::strerror(errno));
  if (to.address.is_multicast()) {
    in_addr interface {};
    std::memcpy(&interface, from.address.bytes().data(), sizeof interface);
    const int hops = 8;
    if (::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) != 0 ||
        ::setsockopt(socket.get(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops) != 0) {
      amt::Arguments::fail("setsockopt", std::strerror(errno));
    }
  }
  return socket;
}

}  // namespace

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 7, "FROM TO:PORT DESTINATIONS OCTETS AT_ONCE PAUSE_MICROSECONDS TIMES");
  const amt::Endpoint from = arguments.endpoint();
  const amt::Endpoint first = arguments.endpoint();
  const auto destinations = arguments.number<std::uint16_t>();
  const auto octets = arguments.number<std::uint16_t>();
  const auto at_once = arguments.number<std::uint32_t>();
  const std::chrono::microseconds pause(arguments.number<std::uint32_t>());
  const auto times = arguments.number<std::uint32_t>();
  ::alarm(kSecondsMax);

  const amt::UniqueFd socket = open_socket(from, first);
  std::vector<amt::SocketAddress> addresses;
  for (std::uint16_t i = 0; i < destinations; ++i) {
    addresses.emplace_back(amt::Endpoint{first.address, static_cast<std::uint16_t>(first.port + i)});
  }
  // What the sink takes for AMT Data: it only looks at the first octet.
  std::vector<std::byte> payload(octets, amt::wire::kDataHeader[0]);

  std::uint64_t failed = 0;
  const amt::Duration cpu_before = amt::cpu_time();
  amt::Instant due = amt::monotonic_now();
  for (std::uint32_t time = 0; time < times; ++time, due += pause) {
    sleep_until(due);
    for (std::uint32_t i = 0; i < at_once; ++i) {
      for (const amt::SocketAddress& to : addresses) {
        if (::sendto(socket.get(), payload.data(), payload.size(), 0, to.data(), to.size()) < 0) ++failed;
      }
    }
  }
  const amt::Duration cpu = amt::cpu_time() - cpu_before;
  const std::uint64_t sent = std::uint64_t{times} * at_once * destinations;
  std::printf("%llu %llu %lld\n", static_cast<unsigned long long>(sent), static_cast<unsigned long long>(failed),
              static_cast<long long>(cpu.count()));
}
