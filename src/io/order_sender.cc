#include "io/order_sender.hh"

#include <linux/ethtool.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "sys/ethtool.hh"
#include "sys/log_limiter.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

static_assert(FrameSender::kSlotsMax <= OrderPort::kDestinationsMax);
static_assert(FrameSender::kFrameOctets <= OrderPort::kFrameOctetsMax);

/// How many frames the device's transmit ring holds; where the driver does not say, that of a veth.
std::uint32_t ring_entries(const std::string& interface) {
  constexpr std::uint32_t kUsual = 256;
  ethtool_ringparam ring{};
  ring.cmd = ETHTOOL_GRINGPARAM;
  const UniqueFd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const bool is_told = call_driver(any.get(), interface, &ring) && ring.tx_pending != 0;
  return is_told ? ring.tx_pending : kUsual;
}

}  // namespace

SysResult<std::unique_ptr<OrderSender>> OrderSender::open(OrderPort port) {
  SysResult<NextHopQueries> queries = NextHopQueries::open();
  if (!queries) return tl::unexpected(queries.error());
  return std::make_unique<OrderSender>(std::move(*queries), std::move(port));
}

SysResult<void> OrderSender::open_link(const Link& link) {
  if (link.number >= devices_.size()) {
    return tl::unexpected(SysError{"orders for more interfaces than others", link.ethernet->name, ENOSPC});
  }
  Device& device = devices_[link.number];
  const std::size_t part = ring_entries(link.ethernet->name) / kRingParts;
  device.copies_max = std::clamp<std::size_t>(part, 1, OrderPort::kCopiesMax);
  device.rest = Duration::zero();
  return port_.set_device(link.number, link.index);
}

void OrderSender::handle_new_header(std::uint32_t slot, const Path& path) {
  path.header.write_template(port_.header_of(slot));
}

bool OrderSender::push(Path& path, const Transmit& message, std::uint32_t index) {
  if (message.pieces.data() != pieces_ || message.pieces.size() != piece_count_) {
    flush();
    pieces_ = message.pieces.data();
    piece_count_ = message.pieces.size();
  }
  Link& link = *path.link;
  Device& device = devices_[link.number];
  const bool is_v4 = path.peer.address.is_v4();
  Batch& batch = is_v4 ? device.v4 : device.v6;
  if (batch.size == device.copies_max) flush(link, batch, is_v4);
  // The copies before this one were not all taken.
  if (link.rests_until > now()) return false;
  batch.destinations[batch.size] = OrderPort::with_ecn(message.slot, message.ecn);
  batch.indices[batch.size++] = index;
  return true;
}

void OrderSender::flush() {
  for (Link& link : links()) {
    if (link.number >= devices_.size()) break;
    Device& device = devices_[link.number];
    flush(link, device.v4, true);
    flush(link, device.v6, false);
  }
  // The next call may have other packets there.
  pieces_ = nullptr;
}

void OrderSender::flush(Link& link, Batch& batch, bool is_v4) {
  if (batch.size == 0) return;
  const Transmit& first = message(batch.indices[0]);
  const std::span<const std::uint16_t> sums = sums_of(first);
  std::size_t lost = 0;
  for (std::size_t piece = 0; piece < first.pieces.size() && batch.size != 0; ++piece) {
    const std::span destinations = std::span(batch.destinations).first(batch.size);
    const std::uint64_t sent = port_.send({link.number, is_v4, destinations, first.pieces[piece], sums[piece]});
    const auto taken = static_cast<std::size_t>(std::popcount(sent));
    statistics_.order_copies += taken;
    if (taken == batch.size) continue;
    lost += batch.size - taken;
    leave_lost(batch, sent, piece);
  }
  batch.size = 0;
  Device& device = devices_[link.number];
  if (lost == 0) {
    device.rest /= 2;
  } else {
    slow_down(link, lost);
  }
}

void OrderSender::leave_lost(Batch& batch, std::uint64_t sent, std::size_t piece) {
  std::size_t kept = 0;
  for (std::size_t k = 0; k < batch.size; ++k) {
    if ((sent >> k & 1U) != 0) {
      batch.destinations[kept] = batch.destinations[k];
      batch.indices[kept++] = batch.indices[k];
    } else {
      const Transmit& whole = message(batch.indices[k]);
      leave_to_socket(path_in(whole.slot), whole, batch.indices[k], piece);
    }
  }
  batch.size = kept;
}

void OrderSender::slow_down(Link& link, std::size_t lost) {
  statistics_.order_refusals += lost;
  Device& device = devices_[link.number];
  device.rest = std::clamp(device.rest * 2, kRestMin, kRestMax);
  link.rests_until = now() + device.rest;
  log_warn_limited("orders " + link.ethernet->name,
                   "--data-path orders: {} did not take {} of the copies of a packet; they went by the socket",
                   link.ethernet->name, lost);
}

}  // namespace amt
