/// Very many tunnels without as many sockets: the handshake of RFC 7450 §5.2.3 for gateways at consecutive addresses,
/// each at one port, by a raw socket and a packet socket. The addresses are routed to this host and are none of its
/// own. Prints how many tunnels were asked for when all have been, and ends.

#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "arguments.hh"
#include "ip/datagram.hh"
#include "ip/udp.hh"
#include "membership/message.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"
#include "wire/message.hh"

namespace amt {
namespace {

constexpr char kUsage[] =
    "RELAY:PORT FIRST_ADDRESS TUNNELS SOURCE FIRST_GROUP CHANNELS\n"
    "Tunnel i, counted from 0, joins channel i modulo CHANNELS.";
constexpr std::uint16_t kGatewayPort = 40'000;
// Above those of 16 bits, by which a relay would take us for js4ms.
constexpr std::uint32_t kFirstNonce = 0x01000000;
// Requests on their way: the relay's receive buffer holds as many.
constexpr std::size_t kWindow = 128;
constexpr int kAnswerMilliseconds = 50;
constexpr int kBufferOctets = 64 << 20;
// Each tunnel may be asked for so often, on average.
constexpr std::size_t kTriesMax = 4;

/// Host order.
std::uint32_t number_of(const IpAddress& v4) {
  std::uint32_t value = 0;
  for (const std::byte octet : v4.bytes()) value = value << 8 | std::to_integer<std::uint32_t>(octet);
  return value;
}

class Multitude {
 public:
  explicit Multitude(Arguments& arguments)
      : relay_(arguments.endpoint()),
        first_(number_of(arguments.endpoint().address)),
        asked_(arguments.number<std::uint32_t>()),
        source_(arguments.endpoint().address),
        first_group_(number_of(arguments.endpoint().address)),
        channels_(arguments.number<std::uint32_t>()),
        out_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)),
        in_(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_IP))) {
    if (!out_ || !in_) Arguments::fail("socket", std::strerror(errno));
    static_cast<void>(::setsockopt(in_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferOctets, sizeof kBufferOctets));
  }

  /// The number of tunnels that have been asked for.
  std::size_t run() {
    const std::size_t rounds = kTriesMax * (asked_.size() / kWindow + 1);
    for (std::size_t round = 0; round < rounds && answered_ < asked_.size(); ++round) {
      std::size_t sent = 0;
      while (next_ < asked_.size() && sent < kWindow) {
        if (!asked_[next_]) {
          request(static_cast<std::uint32_t>(next_));
          ++sent;
        }
        ++next_;
      }
      while (sent > 0 && wait()) sent -= std::min(sent, answer_all());
      // What was lost is asked for once more.
      if (next_ == asked_.size()) next_ = 0;
    }
    return answered_;
  }

 private:
  [[nodiscard]] IpAddress address(std::uint32_t i) const { return IpAddress::from_v4(first_ + i); }

  void send(std::uint32_t i, Bytes message) {
    std::array<std::byte, 600> datagram{};
    const HeaderFields header{
        .source = address(i), .destination = relay_.address, .protocol = kProtocolUdp, .hop_limit = 64};
    const std::size_t octets = write_udp_datagram(datagram, header, kGatewayPort, relay_.port, message);
    const SocketAddress to({relay_.address, 0});
    if (::sendto(out_.get(), datagram.data(), octets, 0, to.data(), to.size()) < 0) {
      Arguments::fail("sendto", std::strerror(errno));
    }
  }

  void request(std::uint32_t i) {
    std::array<std::byte, wire::kRequestOctets> message{};
    ByteWriter out(message);
    wire::Request{.nonce = {kFirstNonce + i}, .protocol = wire::Protocol::kIgmp}.write(out);
    send(i, message);
  }

  void join(std::uint32_t i, const wire::MembershipQuery& query) {
    const GroupRecord record{RecordType::kAllowNewSources, IpAddress::from_v4(first_group_ + i % channels_), {source_}};
    const std::vector<std::byte> report = write_report(IpAddress::unspecified(Family::kIpv4), std::span(&record, 1));
    std::vector<std::byte> message(wire::kUpdateHeaderOctets + report.size());
    ByteWriter out(message);
    wire::MembershipUpdate{query.mac, query.nonce, report}.write(out);
    send(i, message);
  }

  [[nodiscard]] bool wait() const {
    pollfd ready{in_.get(), POLLIN, 0};
    return ::poll(&ready, 1, kAnswerMilliseconds) > 0;
  }

  /// Joins with each Query that has come. How many.
  std::size_t answer_all() {
    std::size_t count = 0;
    std::array<std::byte, 2048> buffer{};
    for (;;) {
      const ssize_t octets = ::recv(in_.get(), buffer.data(), buffer.size(), 0);
      if (octets <= 0) return count;
      const auto datagram = DatagramView::parse(Bytes(buffer).first(static_cast<std::size_t>(octets)));
      if (!datagram || datagram->protocol != kProtocolUdp || !datagram->destination.is_v4()) continue;
      const std::uint32_t i = number_of(datagram->destination) - first_;
      if (i >= asked_.size() || asked_[i] || datagram->payload.size() < kUdpHeaderOctets) continue;
      const auto query = wire::MembershipQuery::parse(datagram->payload.subspan(kUdpHeaderOctets));
      if (!query) continue;
      join(i, *query);
      asked_[i] = true;
      ++answered_;
      ++count;
    }
  }

  Endpoint relay_;
  std::uint32_t first_;
  std::vector<bool> asked_;
  IpAddress source_;
  std::uint32_t first_group_;
  std::uint32_t channels_;
  UniqueFd out_;
  UniqueFd in_;
  std::size_t next_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 6, amt::kUsage);
  std::printf("%zu\n", amt::Multitude(arguments).run());
}
