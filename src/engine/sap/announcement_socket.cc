#include "engine/sap/announcement_socket.hh"

#include "sap/sap_packet.hh"
#include "sys/clock.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

constexpr std::size_t kReceiveSlots = 8;
/// Datagrams are short and few.
constexpr int kBufferOctets = 256 * 1024;

}  // namespace

AnnouncementSocket::AnnouncementSocket(std::string interface, int interface_index, UdpSocket socket,
                                       DatagramHandler on_datagram)
    : interface_(std::move(interface)),
      interface_index_(interface_index),
      socket_(std::move(socket)),
      membership_(open_membership_kernel(interface_index), budget_),
      on_datagram_(std::move(on_datagram)),
      received_(kReceiveSlots) {}

SysResult<std::unique_ptr<AnnouncementSocket>> AnnouncementSocket::open(Loop& loop, const std::string& interface,
                                                                        int interface_index, const IpAddress& group,
                                                                        DatagramHandler on_datagram) {
  // Bound to the group: what is sent to this host's own addresses is nothing that it has heard.
  SysResult<UdpSocket> socket = UdpSocket::bind({group, kSapPort}, {.receive_buffer_octets = kBufferOctets,
                                                                    .send_buffer_octets = kBufferOctets,
                                                                    .reuse_address = true,
                                                                    .interface = interface});
  if (!socket) return Unexpected<SysError>(socket.error());
  auto opened =
      std::make_unique<AnnouncementSocket>(interface, interface_index, std::move(*socket), std::move(on_datagram));
  opened->membership_.set(group, filter_of({.source = std::nullopt, .group = group}));
  opened->membership_.work([] { return false; });
  if (const std::optional<SysError> failure = opened->membership_.take_failure()) {
    return Unexpected<SysError>(*failure);
  }
  opened->watch_.emplace(loop, opened->socket_.fd(), [raw = opened.get()] { raw->on_readable(); });
  return opened;
}

void AnnouncementSocket::on_readable() {
  const Instant now = monotonic_now();
  const SysResult<std::size_t> count = socket_.receive(received_);
  if (!count) return log_warn_limited("sap", "announcements on {}: {}", interface_, count.error().to_string());
  for (const Received& message : received_.received()) {
    message.for_each_datagram([&](MutableBytes datagram) { on_datagram_(now, message.from.address, datagram); });
  }
}

}  // namespace amt
