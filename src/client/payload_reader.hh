#pragma once
/// From inner IP datagrams to the UDP payloads of one port, for programs without an interface of their own.

#include <cstdint>
#include <optional>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"
#include "ip/data_packet.hh"
#include "ip/fragment.hh"
#include "ip/udp.hh"

namespace amt {

/// Why an inner datagram did not become a payload.
struct PayloadDrops {
  std::uint64_t not_udp = 0;
  std::uint64_t bad_checksum = 0;
  std::uint64_t malformed = 0;
  std::uint64_t other_port = 0;
  std::uint64_t reassembly = 0;  ///< datagrams whose fragments did not all come, or did not fit
};

struct Payload {
  /// Of the UDP datagram: points into the input, or into the reader.
  Bytes octets;
  Endpoint source;
  Endpoint destination;
};

/// Reassembles, checks the port, and checks the checksum of reassembled datagrams. Not thread-safe. Allocates for
/// fragments alone.
class PayloadReader {
 public:
  /// `port` of the destination; none: any.
  explicit PayloadReader(std::optional<std::uint16_t> port) : port_(port) {}

  /// The payload that `packet` is or completes, valid until `release` and as long as the packet is. A whole packet's
  /// checksum was verified. None: counted in `drops`, or a fragment that waits for others.
  [[nodiscard]] std::optional<Payload> read(Instant now, const DataPacket& packet);
  /// The payloads that were read are not needed any more.
  void release() { rebuilt_.clear(); }
  [[nodiscard]] PayloadDrops drops() const;

 private:
  [[nodiscard]] std::optional<Payload> accept(const Payload& payload);
  [[nodiscard]] std::optional<Payload> read_rebuilt(Bytes datagram);
  void count(UdpError error);

  std::optional<std::uint16_t> port_;
  Reassembler reassembler_;
  /// The reassembler keeps one datagram; a batch may bring several.
  std::vector<std::vector<std::byte>> rebuilt_;
  PayloadDrops drops_;
};

}  // namespace amt
