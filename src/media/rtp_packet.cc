#include "media/rtp_packet.hh"

namespace amt {
namespace {

constexpr std::size_t kHeaderOctets = 12;

}  // namespace

//      0                   1                   2                   3
//     +---+-+-+-------+-+-------------+-------------------------------+
//     |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//     +---+-+-+-------+-+-------------+-------------------------------+
//     |                           timestamp                           |
//     +---------------------------------------------------------------+
//     |                             SSRC                              |
//     +---------------------------------------------------------------+
//     |                   CSRC (CC times) ...
std::optional<RtpPacketView> RtpPacketView::parse(Bytes packet) {
  ByteReader reader(packet);
  if (!reader.has(kHeaderOctets)) return std::nullopt;
  const std::uint8_t first = reader.u8();
  if (first >> 6 != 2) return std::nullopt;
  const std::uint8_t type = reader.u8() & 0x7f;
  if (type >= 72 && type <= 76) return std::nullopt;  // RTCP's packet types, RFC 3550 §12
  RtpPacketView view;
  view.sequence = reader.u16();
  reader.skip(4);
  view.source = reader.u32();
  const std::size_t csrc_octets = std::size_t{4} * (first & 0x0fU);
  if (!reader.has(csrc_octets)) return std::nullopt;
  reader.skip(csrc_octets);
  if ((first & 0x10) != 0) {
    if (!reader.has(4)) return std::nullopt;
    reader.skip(2);
    const std::size_t extension_octets = std::size_t{4} * reader.u16();
    if (!reader.has(extension_octets)) return std::nullopt;
    reader.skip(extension_octets);
  }
  view.payload = reader.rest();
  if ((first & 0x20) != 0) {
    const std::size_t padding = view.payload.empty() ? 0 : std::to_integer<std::size_t>(view.payload.back());
    if (padding == 0 || padding > view.payload.size()) return std::nullopt;
    view.payload = view.payload.first(view.payload.size() - padding);
  }
  return view;
}

}  // namespace amt
