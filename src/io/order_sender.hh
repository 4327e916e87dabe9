#pragma once
/// Copies made by the kernel: one order for a packet and many of its gateways (`--data-path orders`).

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/frame_sender.hh"
#include "io/order_port.hh"

namespace amt {

/// Collects the destinations of one packet, by device and family, and gives them to an `OrderPort`. Nothing pushes back
/// where frames are redirected, so a device's ring is never filled by one order, and datagrams that the device did not
/// take go by the socket at once, which waits where it must. Meanwhile the device gets no orders, for longer each time.
class OrderSender final : public FrameSender {
 public:
  /// How long a device that did not take all gets no orders: the first time, and at most.
  static constexpr Duration kRestMin = std::chrono::milliseconds(1);
  static constexpr Duration kRestMax = std::chrono::seconds(2);
  /// The part of a device's ring that one order leaves free: three quarters.
  static constexpr std::uint32_t kRingParts = 4;

  static SysResult<std::unique_ptr<OrderSender>> open(OrderPort port);
  OrderSender(NextHopQueries queries, OrderPort port)
      : FrameSender(SendPath::kOrders, std::move(queries)), port_(std::move(port)) {}

  [[nodiscard]] Statistics statistics() const override { return statistics_; }

 private:
  /// Destinations of one packet, in the order in which they came.
  struct Batch {
    std::array<std::uint32_t, OrderPort::kCopiesMax> destinations;
    /// Of their messages.
    std::array<std::uint32_t, OrderPort::kCopiesMax> indices;
    std::size_t size = 0;
  };
  struct Device {
    std::size_t copies_max = OrderPort::kCopiesMax;
    /// The next rest; zero: the last orders were taken.
    Duration rest{};
    Batch v4;
    Batch v6;
  };

  SysResult<void> open_link(const Link& link) override;
  void close_link(const Link&) override {}
  void handle_new_header(std::uint32_t slot, const Path& path) override;
  bool push(Path& path, const Transmit& message, std::uint32_t index) override;
  void flush() override;
  void flush(Link& link, Batch& batch, bool is_v4);
  /// Takes those that the device did not take of this piece out of the batch, for the socket.
  void leave_lost(Batch& batch, std::uint64_t sent, std::size_t piece);
  void slow_down(Link& link, std::size_t lost);

  OrderPort port_;
  /// By number of the link.
  std::array<Device, OrderPort::kDevicesMax> devices_{};
  /// Of the packets that the batches are about.
  const Bytes* pieces_ = nullptr;
  std::size_t piece_count_ = 0;
  Statistics statistics_;
};

}  // namespace amt
