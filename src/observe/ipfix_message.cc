#include "observe/ipfix_message.hh"

#include <algorithm>

#include "base/byte_reader.hh"

namespace amt {
namespace {

// RFC 7011 §3.1, the message header:
//    0                   1                   2                   3
//   |       Version Number          |            Length             |
//   |                           Export Time                         |
//   |                       Sequence Number                         |
//   |                    Observation Domain ID                      |
constexpr std::uint16_t kVersion = 10;
constexpr std::size_t kHeaderOctets = 16;
constexpr std::size_t kSetHeaderOctets = 4;
constexpr std::uint16_t kTemplateSet = 2;
/// The first of four: plus 2 where the channel is IPv6, plus 1 where the gateway is.
constexpr std::uint16_t kFirstTemplate = 256;
constexpr std::uint8_t kUdp = 17;

struct Field {
  std::uint16_t element;  ///< IANA's number
  std::uint16_t octets;
};
constexpr std::size_t kFields = 10;

std::array<Field, kFields> fields_of(bool channel_v6, bool gateway_v6) {
  const Field source = channel_v6 ? Field{27, 16} : Field{8, 4};
  const Field group = channel_v6 ? Field{28, 16} : Field{12, 4};
  const Field next_hop = gateway_v6 ? Field{62, 16} : Field{15, 4};
  return {{source,
           group,
           next_hop,
           {11, 2},   // destinationTransportPort: the gateway's
           {4, 1},    // protocolIdentifier: the protocol of the datagrams
           {136, 1},  // flowEndReason
           {152, 8},
           {153, 8},  // flowStartMilliseconds, flowEndMilliseconds
           {2, 8},
           {1, 8}}};  // packetDeltaCount, octetDeltaCount
}

std::uint16_t template_of(const FlowRecord& record) {
  const bool channel_v6 = record.channel.group.family() == Family::kIpv6;
  const bool gateway_v6 = record.gateway.address.family() == Family::kIpv6;
  return static_cast<std::uint16_t>(kFirstTemplate + (channel_v6 ? 2 : 0) + (gateway_v6 ? 1 : 0));
}

std::size_t octets_of(std::uint16_t number) {
  const unsigned families = number - kFirstTemplate;
  std::size_t octets = 0;
  for (const Field& field : fields_of((families & 2U) != 0, (families & 1U) != 0)) octets += field.octets;
  return octets;
}

void put_u64(ByteWriter& writer, std::uint64_t value) {
  writer.u32(static_cast<std::uint32_t>(value >> 32));
  writer.u32(static_cast<std::uint32_t>(value));
}

void put_time(ByteWriter& writer, WallTime time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  put_u64(writer, static_cast<std::uint64_t>(since.count()));
}

void append_templates(std::vector<std::byte>& sets) {
  constexpr std::size_t kTemplates = 4;
  constexpr std::size_t kOctets = kSetHeaderOctets + kTemplates * (4 + kFields * 4);
  const std::size_t at = sets.size();
  sets.resize(at + kOctets);
  ByteWriter writer(MutableBytes(sets).subspan(at));
  writer.u16(kTemplateSet);
  writer.u16(kOctets);
  for (unsigned families = 0; families < kTemplates; ++families) {
    writer.u16(static_cast<std::uint16_t>(kFirstTemplate + families));
    writer.u16(kFields);
    for (const Field& field : fields_of((families & 2U) != 0, (families & 1U) != 0)) {
      writer.u16(field.element);
      writer.u16(field.octets);
    }
  }
}

void append_record(std::vector<std::byte>& sets, const FlowRecord& record) {
  const std::size_t at = sets.size();
  sets.resize(at + octets_of(template_of(record)));
  ByteWriter writer(MutableBytes(sets).subspan(at));
  const IpAddress source = record.channel.source.value_or(IpAddress::unspecified(record.channel.group.family()));
  writer.bytes(source.bytes());
  writer.bytes(record.channel.group.bytes());
  writer.bytes(record.gateway.address.bytes());
  writer.u16(record.gateway.port);
  writer.u8(kUdp);
  writer.u8(static_cast<std::uint8_t>(record.reason));
  put_time(writer, record.start);
  put_time(writer, record.end);
  put_u64(writer, record.packets);
  put_u64(writer, record.octets);
}

}  // namespace

std::vector<std::byte> IpfixWriter::message(WallTime now, std::span<const std::byte> sets) const {
  std::vector<std::byte> out(kHeaderOctets + sets.size());
  ByteWriter writer(out);
  writer.u16(kVersion);
  writer.u16(static_cast<std::uint16_t>(out.size()));
  const auto since = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  writer.u32(static_cast<std::uint32_t>(since.count()));
  writer.u32(sequence_);
  writer.u32(domain_);
  writer.bytes(sets);
  return out;
}

std::vector<std::vector<std::byte>> IpfixWriter::write(WallTime now, std::span<const FlowRecord> records) {
  std::vector<std::vector<std::byte>> messages;
  std::vector<std::byte> sets;
  if (!templates_sent_ || now - *templates_sent_ >= kTemplateInterval || now < *templates_sent_) {
    append_templates(sets);
    templates_sent_ = now;
  }
  std::uint32_t in_message = 0;
  const auto flush = [&] {
    if (sets.empty()) return;
    messages.push_back(message(now, sets));
    sequence_ += in_message;
    in_message = 0;
    sets.clear();
  };
  for (std::size_t i = 0; i < records.size();) {
    const std::uint16_t number = template_of(records[i]);
    const std::size_t octets = octets_of(number);
    if (kHeaderOctets + sets.size() + kSetHeaderOctets + octets > kMessageOctetsMax) flush();
    const std::size_t set_at = sets.size();
    sets.resize(set_at + kSetHeaderOctets);
    for (; i < records.size() && template_of(records[i]) == number &&
           kHeaderOctets + sets.size() + octets <= kMessageOctetsMax;
         ++i) {
      append_record(sets, records[i]);
      ++in_message;
    }
    put_u16_at(sets, set_at, number);
    put_u16_at(sets, set_at + 2, static_cast<std::uint16_t>(sets.size() - set_at));
  }
  flush();
  return messages;
}

}  // namespace amt
