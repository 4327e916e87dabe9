#include "media/rtp_reception.hh"

namespace amt {
namespace {

/// Beyond two matrices: packets that come a little late.
constexpr std::size_t kReorderedMax = 64;

}  // namespace

std::span<const Bytes> RtpReception::handle_datagrams(Instant now, std::span<const Datagram> datagrams) {
  payloads_.clear();
  for (const Datagram& one : datagrams) {
    if (is_repair_port(one.port)) {
      add_repair(one.octets);
    } else if (is_media_port(one.port)) {
      if (repair_) repair_->add_media(one.octets);
      payloads_.push_back(one.octets);
    }
  }
  if (repair_) {
    for (const std::vector<std::byte>& made : repair_->take_made()) payloads_.push_back(made);
  }
  return unwrapper_.handle_datagrams(now, payloads_);
}

void RtpReception::add_repair(Bytes datagram) {
  if (!repair_) {
    if (!RepairPacketView::parse(datagram)) return;
    repair_.emplace();
  }
  repair_->add_repair(datagram);
  if (repair_->matrix() == matrix_) return;
  matrix_ = repair_->matrix();
  unwrapper_.wait_for_repair(kRepairWindow, 2 * matrix_ + kReorderedMax);
}

}  // namespace amt
