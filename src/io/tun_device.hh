#pragma once
/// The gateway's pseudo-interface: a TUN device, or a TAP device as a port for a bridge.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.hh"
#include "ip/captured.hh"
#include "ip/ethernet.hh"
#include "ip/split_datagram.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct TunOptions {
  std::string name = "amt0";
  std::uint32_t mtu_octets = 1500;
  /// An Ethernet interface: frames instead of IP datagrams.
  bool tap = false;
};

/// One queue, non-blocking, IFF_NO_PI; gone when this object is. Needs CAP_NET_ADMIN. Not thread-safe, but one thread
/// may receive while another sends.
class TunDevice {
 public:
  static SysResult<TunDevice> create(const TunOptions& options);
  /// One that `create` of another process made, and which that one uses no more; the interface is as it was.
  /// `drops_before`: `send_drops` there.
  static SysResult<TunDevice> adopt(UniqueFd fd, std::uint64_t drops_before = 0);
  ~TunDevice();
  TunDevice(TunDevice&&) noexcept;
  TunDevice& operator=(TunDevice&&) noexcept;

  [[nodiscard]] int fd() const;
  [[nodiscard]] int index() const;
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] bool is_tap() const;

  /// Reads the datagrams that the kernel sent out of the interface: whole IP datagrams with finished checksums, never
  /// merged, valid until the next call; `kCaptureHeadroomOctets` before each are writable, too. At most 64; empty:
  /// nothing there.
  SysResult<std::span<const MutableBytes>> receive();

  /// Writes datagrams into the interface, merged where the kernel takes it (IFF_VNET_HDR, USO) and headers allow.
  /// Datagrams that were not taken were dropped (full queue, EIO while down) and counted.
  Taken send(std::span<const Bytes> datagrams);
  /// TAP: writes each as a frame from `source` to the Ethernet address of its group, else as `send`.
  Taken send_frames(const MacAddress& source, std::span<const SplitDatagram> datagrams);
  [[nodiscard]] std::uint64_t send_drops() const;

 private:
  struct Impl;
  explicit TunDevice(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
