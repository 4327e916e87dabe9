#include "io/xdp_sender.hh"

#include <cstring>

namespace amt {
namespace {

// Few enough that their memory stays in the cache between us and the kernel.
constexpr std::size_t kFramesPerFlush = 64;
static_assert(XdpPort::kFrameOctets == FrameSender::kFrameOctets);

}  // namespace

SysResult<std::unique_ptr<XdpSender>> XdpSender::open() {
  SysResult<NextHopQueries> queries = NextHopQueries::open();
  if (!queries) return tl::unexpected(queries.error());
  return std::make_unique<XdpSender>(std::move(*queries));
}

SysResult<void> XdpSender::open_link(const Link& link) {
  SysResult<XdpPort> opened = XdpPort::open(link.ethernet->name);
  if (!opened) return tl::unexpected(opened.error());
  ports_[link.number] = {std::move(*opened), 0};
  return {};
}

bool XdpSender::push(Path& path, const Transmit& message, std::uint32_t index) {
  Link& link = *path.link;
  Port& port = ports_[link.number];
  if (port.pushed + message.pieces.size() > kFramesPerFlush) flush(link);
  if (!link.is_open || !port.xdp->has_room(message.pieces.size())) return false;
  const std::span<const std::uint16_t> sums = sums_of(message);
  for (std::size_t i = 0; i < message.pieces.size(); ++i) {
    const Bytes payload = message.pieces[i];
    const MutableBytes frame = port.xdp->frame();
    path.header.write(frame, payload.size(), sums[i], message.ecn);
    // std::ranges::copy becomes a copy octet by octet here, which would cost as much as the kernel does.
    std::memcpy(frame.subspan(path.header.octets(), payload.size()).data(), payload.data(), payload.size());
    port.xdp->push(path.header.octets() + payload.size(), index);
  }
  port.pushed += message.pieces.size();
  statistics_.xdp_frames += message.pieces.size();
  return true;
}

void XdpSender::flush() {
  for (Link& link : links()) flush(link);
}

void XdpSender::flush(Link& link) {
  Port& port = ports_[link.number];
  if (port.pushed == 0 || !port.xdp) return;
  port.pushed = 0;
  const bool working = port.xdp->flush([&](std::uint32_t index, int code) {
    ++statistics_.xdp_drops;
    report(index, code);
  });
  if (!working) give_up(link);
}

}  // namespace amt
