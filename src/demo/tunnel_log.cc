#include "demo/tunnel_log.hh"

#include <variant>

#include "demo/control_detail.hh"
#include "membership/message.hh"

namespace amt {
namespace {

/// The demo has a few dozen.
constexpr std::size_t kMessagesMax = 500;

struct UdpPiece {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  Bytes payload;
};

/// Without a look at length and checksum: before segmentation neither of them is right.
std::optional<UdpPiece> udp_of(const DatagramView& datagram) {
  ByteReader in(datagram.payload);
  if (datagram.protocol != kProtocolUdp || datagram.is_fragment() || !in.has(kUdpHeaderOctets)) return std::nullopt;
  UdpPiece piece;
  piece.source_port = in.u16();
  piece.destination_port = in.u16();
  in.skip(4);
  piece.payload = in.rest();
  return piece;
}

bool asks_for(const GroupRecord& record, const Channel& channel) {
  if (record.group != channel.group) return false;
  const bool excludes = record.type == RecordType::kModeIsExclude || record.type == RecordType::kChangeToExclude;
  if (excludes || record.type == RecordType::kBlockOldSources) return false;
  for (const IpAddress& source : record.sources) {
    if (source == channel.source) return true;
  }
  return false;
}

}  // namespace

TunnelLog::TunnelLog(Channel channel, std::uint16_t port, Family outer)
    : channel_(channel), port_(port), outer_(outer) {}

void TunnelLog::handle(Duration at, bool outgoing, Bytes octets) {
  const auto datagram = DatagramView::parse(octets);
  if (!datagram) return;
  if (datagram->destination == channel_.group && datagram->source == channel_.source) {
    handle_native(at, *datagram);
    return;
  }
  if (outgoing) handle_report(at, *datagram);
  const std::optional<UdpPiece> udp = udp_of(*datagram);
  if (!udp || datagram->family() != outer_) return;
  const std::uint16_t relay_port = outgoing ? udp->destination_port : udp->source_port;
  if (relay_port != kAmtPort) return;
  handle_tunnel(at, outgoing, outgoing ? datagram->destination : datagram->source, udp->payload);
}

bool TunnelLog::is_stream(const DatagramView& datagram) const {
  const std::optional<UdpPiece> udp = udp_of(datagram);
  return udp && udp->destination_port == port_;
}

void TunnelLog::handle_native(Duration at, const DatagramView& datagram) {
  if (!first_native_) first_native_ = at;
  if (!is_stream(datagram)) return;
  const std::size_t octets = datagram.payload.size() - kUdpHeaderOctets;
  // Merged by the kernel, only the last may be shorter.
  stream_native_ += (octets + kStreamPayloadOctets - 1) / kStreamPayloadOctets;
}

void TunnelLog::handle_report(Duration at, const DatagramView& datagram) {
  if (reported_ || datagram.family() != channel_.group.family()) return;
  const auto message = parse_group_message(datagram, {});
  if (!message) return;
  const auto* report = std::get_if<GroupReport>(&*message);
  if (report == nullptr) return;
  for (const GroupRecord& record : report->records) {
    if (asks_for(record, channel_)) reported_ = at;
  }
}

void TunnelLog::handle_tunnel(Duration at, bool outgoing, const IpAddress& relay, Bytes payload) {
  const auto type = wire::peek_type(payload);
  if (!type) return;
  if (*type == wire::MessageType::kMulticastData) {
    handle_data(at, payload);
  } else if (messages_.size() < kMessagesMax) {
    messages_.push_back({at, outgoing, *type, relay, describe_control(*type, payload)});
  }
}

void TunnelLog::handle_data(Duration at, Bytes payload) {
  // Messages to one gateway may come merged: equal lengths, the last may be shorter. Each says its own length.
  while (payload.size() > wire::kDataHeaderOctets) {
    const auto datagram = DatagramView::parse(payload.subspan(wire::kDataHeaderOctets));
    if (!datagram) return;
    if (datagram->destination == channel_.group && datagram->source == channel_.source) {
      if (!first_data_) first_data_ = at;
      if (is_stream(*datagram)) ++stream_in_tunnel_;
    }
    payload = payload.subspan(wire::kDataHeaderOctets + datagram->bytes.size());
  }
}

}  // namespace amt
