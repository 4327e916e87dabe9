#include "demo/ticker.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "sys/socket_address.hh"

namespace amt {
namespace {

constexpr int kHops = 8;

SysResult<UniqueFd> open_socket(const FamilyPlan& plan) {
  const int family = address_family(plan.family());
  const SocketAddress from(Endpoint{plan.source(), 0});
  const SocketAddress to(Endpoint{plan.channel.group, static_cast<std::uint16_t>(plan.port - 1)});
  UniqueFd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const bool v4 = family == AF_INET;
  if (!socket ||
      ::setsockopt(socket.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, &kHops,
                   sizeof kHops) != 0 ||
      ::bind(socket.get(), from.data(), from.size()) != 0 || ::connect(socket.get(), to.data(), to.size()) != 0) {
    return tl::unexpected(SysError::last("open a socket towards", plan.channel.to_string()));
  }
  return socket;
}

}  // namespace

SysResult<Ticker> Ticker::open(const NetworkNamespace& place, const FamilyPlan& plan) {
  SysResult<SysResult<UniqueFd>> opened = place.run([&] { return open_socket(plan); });
  if (!opened) return tl::unexpected(opened.error());
  if (!*opened) return tl::unexpected(opened->error());
  return Ticker(std::move(**opened));
}

void Ticker::tick() const {
  constexpr std::array<char, 4> kTick = {'t', 'i', 'c', 'k'};
  // One that is lost is followed by the next.
  static_cast<void>(::send(socket_.get(), kTick.data(), kTick.size(), 0));
}

}  // namespace amt
