#pragma once
/// Frames out of AF_XDP sockets (`--data-path xdp`).

#include <array>
#include <memory>
#include <optional>

#include "io/frame_sender.hh"
#include "io/xdp_port.hh"

namespace amt {

/// A socket for each interface, opened when the first path leads there. A message of which any datagram is lost is
/// reported once.
class XdpSender final : public FrameSender {
 public:
  static SysResult<std::unique_ptr<XdpSender>> open();
  explicit XdpSender(NextHopQueries queries) : FrameSender(SendPath::kXdp, std::move(queries)) {}

  [[nodiscard]] Statistics statistics() const override { return statistics_; }

 private:
  struct Port {
    std::optional<XdpPort> xdp{};
    std::size_t pushed = 0;
  };

  SysResult<void> open_link(const Link& link) override;
  void close_link(const Link& link) override { ports_[link.number].xdp.reset(); }
  void handle_new_header(std::uint32_t, const Path&) override {}
  bool push(Path& path, const Transmit& message, std::uint32_t index) override;
  void flush() override;
  void flush(Link& link);

  /// By number of the link.
  std::array<Port, kLinksMax> ports_;
  Statistics statistics_;
};

}  // namespace amt
