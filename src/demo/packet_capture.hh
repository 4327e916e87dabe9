#pragma once
/// A look at every IP datagram that enters or leaves a network namespace, as the kernel shows it to tcpdump.

#include <cstdint>
#include <functional>
#include <vector>

#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/namespace.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct SeenDatagram {
  /// Since 1970, by the kernel's stamp; the same clock in all namespaces.
  Duration at{};
  /// Sent by this host; else received by it.
  bool outgoing = false;
  /// Whole, but perhaps merged (GSO, GRO) and with an unfinished transport checksum.
  Bytes bytes;
};

/// Its owner must `drain` it several times a second while much arrives. Not thread-safe.
class PacketCapture {
 public:
  /// All interfaces but loopback. Needs CAP_NET_RAW in the namespace.
  static SysResult<PacketCapture> open(const NetworkNamespace& place);

  /// Everything that has been captured since. The bytes are valid during the call.
  void drain(const std::function<void(const SeenDatagram&)>& handler);
  /// Packets that the kernel dropped, since the start.
  [[nodiscard]] std::uint64_t drops();

 private:
  explicit PacketCapture(UniqueFd socket);
  UniqueFd socket_;
  std::vector<std::byte> buffer_;
  std::uint64_t drops_ = 0;
};

}  // namespace amt
