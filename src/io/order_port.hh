#pragma once
/// Orders for the kernel: one packet in, a frame for each of many destinations out of a device (docs/data-path.md).

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/byte_reader.hh"
#include "ip/datagram.hh"
#include "sys/error.hh"

namespace amt {

/// One TAP interface with the program of orders.bpf.c on it, and the memory that both sides see. An order is one write
/// to the interface; when that returns, the device has taken each copy, or has not. Everything goes when this object
/// does, or the process, however that ends. Not thread-safe.
class OrderPort {
 public:
  static constexpr std::size_t kCopiesMax = 64;
  static constexpr std::size_t kDevicesMax = 4;
  static constexpr std::uint32_t kDestinationsMax = 65'536;
  static constexpr std::size_t kHeaderOctets = 64;
  /// With headers, of Ethernet too: as much as fits a page in the kernel, with its own room before and after.
  static constexpr std::size_t kFrameOctetsMax = 2048;

  /// Loads and attaches. Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, of the machine, not of a user namespace. ENOSYS:
  /// this program was built without. The later calls need no privilege, and of bpf(2) only BPF_MAP_UPDATE_ELEM.
  static SysResult<OrderPort> open();
  ~OrderPort();
  OrderPort(OrderPort&&) noexcept;
  OrderPort& operator=(OrderPort&&) noexcept;

  /// From now on device number `device` is this interface. About 2,000 system calls.
  SysResult<void> set_device(std::size_t device, int interface);
  /// For `UdpFrameHeader::write_template`.
  [[nodiscard]] MutableBytes header_of(std::uint32_t destination);

  /// As the program wants it.
  [[nodiscard]] static constexpr std::uint32_t with_ecn(std::uint32_t destination, Ecn ecn) {
    return destination | static_cast<std::uint32_t>(ecn) << 30U;
  }
  struct Order {
    std::size_t device = 0;
    bool is_v4 = true;
    /// `with_ecn` of those that have a header; 1 to `kCopiesMax`, all of one family.
    std::span<const std::uint32_t> destinations;
    Bytes payload;
    /// `payload_sum`.
    std::uint16_t sum = 0;
  };
  /// Bit k: the device has taken copy k.
  [[nodiscard]] std::uint64_t send(const Order& order);

  /// The TAP interface itself: a device whose frames `receive` gets.
  [[nodiscard]] int interface() const;
  /// Nothing: none is there.
  [[nodiscard]] std::optional<MutableBytes> receive(MutableBytes into);

 private:
  struct Impl;
  explicit OrderPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Sends orders of both families, many lengths and every ECN field to the port itself, and compares each copy with the
/// frame of `UdpFrameHeader`, octet by octet. Error: how they differ. Leaves the port as device 0.
[[nodiscard]] Result<void, std::string> check_orders(OrderPort& port);

}  // namespace amt
