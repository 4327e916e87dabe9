#pragma once
/// One bound UDP socket, used in batches.

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "amt/endpoint.hh"
#include "ip/datagram.hh"
#include "ip/received.hh"
#include "sys/error.hh"
#include "sys/poll_gate.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct UdpOptions {
  /// SO_RCVBUF / SO_SNDBUF wanted, in octets; forced beyond the sysctl limit where the process may.
  int receive_buffer_octets = 4 << 20;
  int send_buffer_octets = 4 << 20;
  /// Let the kernel merge datagrams of one flow (UDP_GRO); `Received::segment_octets` is then the size at which to cut.
  bool receive_offload = false;
  /// SO_REUSEPORT: sharding over workers.
  bool reuse_port = false;
  /// SO_REUSEADDR: others may be bound to the same multicast group and port, and each gets a copy of each datagram.
  bool reuse_address = false;
  /// Over IPv6 take datagrams without checksum (UDP_NO_CHECK6_RX), but those alone whose first octet is this one
  /// (R-5.2.3.3-d, C-6936-4.5, C-6936-5.4). Checksums that are there are verified, as ever (C-6936-4.7).
  std::optional<std::uint8_t> first_octet_without_checksum{};
  /// Only the link's MTU bounds a datagram. The path MTU that the kernel took from ICMP does not (IP_PMTUDISC_PROBE). A
  /// caller that sets this calls `poll_errors`.
  bool ignore_path_mtu = false;
  /// `poll_fd` does not watch the socket while `send` has many messages: for callers that send in bulk and wait for
  /// readability.
  bool quiet_while_sending = false;
  /// Bind to this interface (SO_BINDTODEVICE); empty: none.
  std::string interface {};
};

/// Buffers for one `receive`; reused from call to call. Sized for 65,535 octets a slot; untouched memory costs address
/// space only.
class ReceiveBatch {
 public:
  explicit ReceiveBatch(std::size_t slots = 64);
  ~ReceiveBatch();
  ReceiveBatch(ReceiveBatch&&) noexcept;
  ReceiveBatch& operator=(ReceiveBatch&&) noexcept;
  [[nodiscard]] std::span<const Received> received() const;

 private:
  friend class UdpSocket;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The most datagrams in one `Transmit` that every kernel takes (UDP_MAX_SEGMENTS; 128 only since 6.9).
inline constexpr std::size_t kSegmentsMax = 64;
/// The most octets in one `Transmit`: an IPv4 datagram of 65,535 octets less its headers.
inline constexpr std::size_t kTransmitOctetsMax = 65'507;

/// One message to one peer: `pieces` are sent one after another. With `segment_octets` the kernel cuts the whole into
/// datagrams of that length (UDP_SEGMENT): all of equal length, the last may be shorter; the caller guarantees it, and
/// stays within `kSegmentsMax` and `kTransmitOctetsMax` (beyond, datagrams are sent one by one: right, but slow).
struct Transmit {
  Endpoint to;
  std::span<const Bytes> pieces;
  std::size_t segment_octets = 0;
  Ecn ecn = Ecn::kNotEct;
  /// A small number that stands for `to` at the caller; `kNoSlot`: none (`ReplicationBackEnd`).
  std::uint32_t slot = kNoSlot;
  static constexpr std::uint32_t kNoSlot = UINT32_MAX;
};

/// A message of which not all was sent.
struct SendFailure {
  std::size_t index = 0;  ///< among the messages
  int code = 0;           ///< errno; EAGAIN: the socket is full
  /// Bit i: its datagram number i was not sent. Callers that want to know stay within `kSegmentsMax`.
  std::uint64_t unsent = UINT64_MAX;
  [[nodiscard]] bool is_unsent(std::size_t datagram) const { return (unsent >> datagram & 1) != 0; }
};
using OnSendError = std::function<void(const SendFailure&)>;

/// An ICMP error that came back for something sent from this socket, or the kernel's own EMSGSIZE.
struct SocketError {
  /// The octets kept of the quoted datagram: enough to recognise a message of this program.
  static constexpr std::size_t kQuoteOctetsMax = 16;

  /// Port 0: it is not known and concerns the whole path (the kernel's own EMSGSIZE).
  Endpoint to;
  int code = 0;                  ///< ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ...
  std::uint32_t mtu_octets = 0;  ///< with EMSGSIZE
  /// A Destination Unreachable, and not "fragmentation needed". `code` does not distinguish it: a Time Exceeded is
  /// EHOSTUNREACH, too.
  bool is_unreachable = false;
  /// An ICMP message said so, not this host's kernel.
  bool from_network = false;
  /// The first octets of the UDP payload that is quoted; of a router that quotes no more than headers, none.
  std::array<std::byte, kQuoteOctetsMax> quote_octets{};
  std::size_t quote_length = 0;

  [[nodiscard]] Bytes quote() const { return Bytes(quote_octets).first(quote_length); }
};

/// Non-blocking. Link-local peers are not served: an `Endpoint` has no zone. Outer DF=1, never fragmented
/// (R-5.3.3.6.3.1-a,c; IP_PMTUDISC_DO or IP_PMTUDISC_PROBE and their IPv6 twins). Not thread-safe.
class UdpSocket {
 public:
  /// Port 0: any; see `local()`. An unspecified address serves its own family only (IPV6_V6ONLY).
  static SysResult<UdpSocket> bind(const Endpoint& local, const UdpOptions& options);
  /// One that `bind` of another process made, with all that was set there; `quiet_while_sending` as there.
  static SysResult<UdpSocket> adopt(UniqueFd fd, bool quiet_while_sending);
  ~UdpSocket();
  UdpSocket(UdpSocket&&) noexcept;
  UdpSocket& operator=(UdpSocket&&) noexcept;

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// To be watched for readability: there is something to `receive`, or in the error queue.
  [[nodiscard]] int poll_fd() const { return gate_ ? gate_->fd() : fd(); }
  [[nodiscard]] const Endpoint& local() const { return local_; }

  /// Up to the batch's slots (recvmmsg), fewer while large ones come. The number received; 0: nothing there. Errors
  /// that concern one peer (ICMP) are never returned here: they are fetched by `poll_errors`.
  SysResult<std::size_t> receive(ReceiveBatch& batch);

  /// Sends each (sendmmsg); one that fails does not stop the others. `on_error` for each message that failed in part or
  /// as a whole: good for counting. Only `poll_errors` reports whether a peer is unreachable, or its path narrower.
  /// EAGAIN leaves the rest unsent and reported. Falls back to plain datagrams, per destination path, where the kernel
  /// refuses UDP_SEGMENT (EIO, EINVAL, EMSGSIZE).
  std::size_t send(std::span<const Transmit> messages, const OnSendError& on_error);

  /// Drains the error queue (IP_RECVERR, IPV6_RECVERR).
  void poll_errors(const std::function<void(const SocketError&)>& visit);

  /// Datagrams that the kernel dropped since the start because the receive buffer was full (SO_MEMINFO): 32 bits of the
  /// kernel's, which wrap. A system call; 0 where the kernel does not say.
  [[nodiscard]] std::uint64_t receive_drops() const;

 private:
  /// Scratch memory for `send` and its state of the paths.
  struct Sender;
  UdpSocket(UniqueFd fd, Endpoint local);
  UniqueFd fd_;
  std::optional<PollGate> gate_;
  Endpoint local_;
  std::unique_ptr<Sender> sender_;
};

}  // namespace amt
