#include "io/udp_socket.hh"

#include <linux/filter.h>
#include <netinet/udp.h>

#include <array>
#include <cerrno>

#include "io/udp_sender.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

/// Whether quiet is worth two system calls.
bool is_bulk(std::span<const Transmit> messages) {
  constexpr std::size_t kBulkDatagrams = 16;
  std::size_t datagrams = 0;
  for (const Transmit& message : messages) {
    datagrams += message.pieces.size();
    if (datagrams >= kBulkDatagrams) return true;
  }
  return false;
}

SysResult<void> set_option(int fd, int level, int option, int value, const char* name, const Endpoint& local) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return tl::unexpected(SysError::last(std::string("setsockopt ") + name, local.to_string()));
}

/// A smaller buffer than wished costs packets under load, not correctness: no error.
void set_buffer(int fd, int force_option, int option, int octets) {
  if (octets <= 0) return;
  if (::setsockopt(fd, SOL_SOCKET, force_option, &octets, sizeof octets) == 0) return;
  ::setsockopt(fd, SOL_SOCKET, option, &octets, sizeof octets);
}

struct Option {
  int level;
  int option;
  int value;
  const char* name;
};

/// The error queue, outer ECN (E-9601-i).
constexpr std::array kIpv4Options = {
    Option{IPPROTO_IP, IP_RECVERR, 1, "IP_RECVERR"},
    Option{IPPROTO_IP, IP_RECVTOS, 1, "IP_RECVTOS"},
};
constexpr std::array kIpv6Options = {
    Option{IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY"},
    Option{IPPROTO_IPV6, IPV6_DONTFRAG, 1, "IPV6_DONTFRAG"},
    Option{IPPROTO_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR"},
    Option{IPPROTO_IPV6, IPV6_RECVTCLASS, 1, "IPV6_RECVTCLASS"},
};

/// DF=1, no Fragment header (R-5.3.3.6.3.1-a, R-5.3.3.6.3.1-c, R-5.3.3.6.3.2-a).
SysResult<void> forbid_fragments(int fd, const Endpoint& local, bool ignore_path_mtu) {
  if (local.address.is_v4()) {
    return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, ignore_path_mtu ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DO,
                      "IP_MTU_DISCOVER", local);
  }
  return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, ignore_path_mtu ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DO,
                    "IPV6_MTU_DISCOVER", local);
}

/// The kernel does not report whether a datagram had a checksum, but a filter sees the UDP header. The filter first: no
/// datagram arrives between the two calls.
SysResult<void> allow_no_checksum(int fd, const Endpoint& local, std::uint8_t first_octet) {
  constexpr std::uint32_t kChecksumAt = 6;
  constexpr std::uint32_t kPayloadAt = 8;
  std::array<sock_filter, 6> code = {{
      {BPF_LD | BPF_H | BPF_ABS, 0, 0, kChecksumAt},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0},
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, kPayloadAt},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, first_octet},
      {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
      {BPF_RET | BPF_K, 0, 0, 0},
  }};
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
    return tl::unexpected(SysError::last("setsockopt SO_ATTACH_FILTER", local.to_string()));
  }
  return set_option(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1, "UDP_NO_CHECK6_RX", local);
}

SysResult<void> configure(int fd, const Endpoint& local, const UdpOptions& options) {
  const bool v4 = local.address.is_v4();
  const std::span<const Option> common =
      v4 ? std::span<const Option>(kIpv4Options) : std::span<const Option>(kIpv6Options);
  for (const Option& o : common) {
    if (SysResult<void> set = set_option(fd, o.level, o.option, o.value, o.name, local); !set) return set;
  }
  if (SysResult<void> set = forbid_fragments(fd, local, options.ignore_path_mtu); !set) return set;
  if (options.reuse_port) {
    if (SysResult<void> set = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", local); !set) return set;
  }
  if (options.reuse_address) {
    if (SysResult<void> set = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", local); !set) return set;
  }
  if (options.first_octet_without_checksum && !v4) {
    if (SysResult<void> set = allow_no_checksum(fd, local, *options.first_octet_without_checksum); !set) return set;
  }
  if (!options.interface.empty() && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface.c_str(),
                                                 static_cast<socklen_t>(options.interface.size() + 1)) != 0) {
    return tl::unexpected(SysError::last("bind to interface", options.interface));
  }
  const int on = 1;
  // Without it nothing is wrong, only slower (kernels before 5.0 have no UDP_GRO).
  if (options.receive_offload) ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, options.receive_buffer_octets);
  set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, options.send_buffer_octets);
  return {};
}

}  // namespace

UdpSocket::UdpSocket(UniqueFd fd, Endpoint local)
    : fd_(std::move(fd)), local_(local), sender_(std::make_unique<Sender>()) {}
UdpSocket::~UdpSocket() = default;
UdpSocket::UdpSocket(UdpSocket&&) noexcept = default;
UdpSocket& UdpSocket::operator=(UdpSocket&&) noexcept = default;

SysResult<UdpSocket> UdpSocket::bind(const Endpoint& local, const UdpOptions& options) {
  UniqueFd fd(::socket(address_family(local.address.family()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return tl::unexpected(SysError::last("socket", local.to_string()));
  if (SysResult<void> configured = configure(fd.get(), local, options); !configured) {
    return tl::unexpected(configured.error());
  }
  const SocketAddress wanted(local);
  if (::bind(fd.get(), wanted.data(), wanted.size()) != 0) {
    return tl::unexpected(SysError::last("bind", local.to_string()));
  }
  SysResult<UdpSocket> socket = adopt(std::move(fd), options.quiet_while_sending);
  if (!socket) return tl::unexpected(SysError{socket.error().call, local.to_string(), socket.error().code});
  return socket;
}

SysResult<UdpSocket> UdpSocket::adopt(UniqueFd fd, bool quiet_while_sending) {
  SocketAddress bound;
  socklen_t length = SocketAddress::capacity();
  if (::getsockname(fd.get(), bound.data(), &length) != 0) return tl::unexpected(SysError::last("getsockname"));
  const std::optional<Endpoint> local = bound.endpoint();
  if (!local) return tl::unexpected(SysError{"getsockname", {}, EAFNOSUPPORT});
  UdpSocket socket(std::move(fd), *local);
  if (quiet_while_sending) {
    SysResult<PollGate> gate = PollGate::create(socket.fd());
    if (!gate) return tl::unexpected(gate.error());
    socket.gate_ = std::move(*gate);
  }
  return socket;
}

std::size_t UdpSocket::send(std::span<const Transmit> messages, const OnSendError& on_error) {
  const bool quiet = gate_ && is_bulk(messages);
  if (quiet) gate_->close();
  const std::size_t sent = sender_->send(fd_.get(), messages, on_error);
  if (quiet) gate_->open();
  return sent;
}

}  // namespace amt
