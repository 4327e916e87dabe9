#include "stream/psi_section.hh"

#include <algorithm>
#include <boost/crc.hpp>

namespace amt {
namespace {

constexpr std::uint8_t kRegistrationTag = 0x05;
constexpr std::uint8_t kServiceTag = 0x48;
constexpr unsigned kTwelveBits = 0x0fff;
constexpr unsigned kThirteenBits = 0x1fff;

/// ISO/IEC 13818-1 annex A: over a section with its CRC the result is zero.
std::uint32_t crc32_of(Bytes bytes) {
  boost::crc_optimal<32, 0x04c11db7, 0xffffffff, 0, false, false> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

std::string text_of(Bytes bytes) {
  std::string text(bytes.size(), '\0');
  std::ranges::transform(bytes, text.begin(), [](std::byte octet) { return static_cast<char>(octet); });
  return text;
}

/// A loop of descriptors: calls `take(tag, content)` for each. False: the last one leads past the end.
template <typename Take>
bool read_descriptors(Bytes loop, Take take) {
  ByteReader in(loop);
  while (in.remaining() > 0) {
    if (!in.has(2)) return false;
    const std::uint8_t tag = in.u8();
    const std::uint8_t octets = in.u8();
    if (!in.has(octets)) return false;
    take(tag, in.bytes(octets));
  }
  return true;
}

/// A field of 12 bits that counts octets, and those octets.
std::optional<Bytes> read_counted(ByteReader& in) {
  if (!in.has(2)) return std::nullopt;
  const std::size_t octets = in.u16() & kTwelveBits;
  if (!in.has(octets)) return std::nullopt;
  return in.bytes(octets);
}

/// EN 300 468 §6.2.33: service_type, then the provider's and the service's name, each behind its length.
std::optional<std::string> service_name(Bytes descriptor) {
  ByteReader in(descriptor);
  if (!in.has(2)) return std::nullopt;
  in.skip(1);
  const std::uint8_t provider_octets = in.u8();
  if (!in.has(provider_octets + std::size_t{1})) return std::nullopt;
  in.skip(provider_octets);
  const std::uint8_t octets = in.u8();
  if (!in.has(octets)) return std::nullopt;
  return text_of(in.bytes(octets));
}

}  // namespace

std::optional<PsiSection> parse_psi_section(Bytes section) {
  constexpr std::size_t kHeaderOctets = 8;
  constexpr std::size_t kCrcOctets = 4;
  constexpr std::size_t kLengthEnd = 3;
  constexpr unsigned kSyntaxIndicator = 0x8000;
  if (section.size() < kHeaderOctets + kCrcOctets) return std::nullopt;
  ByteReader in(section);
  PsiSection parsed;
  parsed.table_id = in.u8();
  const std::uint16_t length = in.u16();
  if ((length & kSyntaxIndicator) == 0 || kLengthEnd + (length & kTwelveBits) != section.size()) return std::nullopt;
  if (crc32_of(section) != 0) return std::nullopt;
  parsed.extension = in.u16();
  parsed.is_current = (in.u8() & 1U) != 0;
  parsed.number = in.u8();
  in.skip(1);
  parsed.content = in.bytes(in.remaining() - kCrcOctets);
  return parsed;
}

std::optional<std::vector<PatEntry>> parse_pat(Bytes content) {
  constexpr std::size_t kEntryOctets = 4;
  std::vector<PatEntry> entries;
  ByteReader in(content);
  while (in.has(kEntryOctets)) {
    const std::uint16_t program = in.u16();
    const auto pid = static_cast<std::uint16_t>(in.u16() & kThirteenBits);
    if (program != 0) entries.push_back({program, pid});
  }
  if (in.remaining() > 0) return std::nullopt;
  return entries;
}

std::optional<std::vector<PmtEntry>> parse_pmt(Bytes content) {
  constexpr std::size_t kPcrPidOctets = 2;
  constexpr std::size_t kStreamOctets = 5;
  constexpr std::size_t kNameOctets = 4;
  ByteReader in(content);
  if (!in.has(kPcrPidOctets)) return std::nullopt;
  in.skip(kPcrPidOctets);
  if (!read_counted(in)) return std::nullopt;  // descriptors of the program
  std::vector<PmtEntry> entries;
  while (in.remaining() > 0) {
    if (!in.has(kStreamOctets)) return std::nullopt;
    PmtEntry entry{.stream_type = in.u8(), .pid = static_cast<std::uint16_t>(in.u16() & kThirteenBits)};
    const std::optional<Bytes> descriptors = read_counted(in);
    const bool is_good = descriptors && read_descriptors(*descriptors, [&](std::uint8_t tag, Bytes descriptor) {
                           entry.descriptor_tags.push_back(tag);
                           if (tag != kRegistrationTag || descriptor.size() < kNameOctets) return;
                           entry.registration = text_of(descriptor.first(kNameOctets));
                         });
    if (!is_good) return std::nullopt;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<std::vector<std::string>> parse_sdt(Bytes content) {
  constexpr std::size_t kNetworkIdOctets = 3;  // original_network_id, reserved
  constexpr std::size_t kServiceStartOctets = 3;
  ByteReader in(content);
  if (!in.has(kNetworkIdOctets)) return std::nullopt;
  in.skip(kNetworkIdOctets);
  std::vector<std::string> names;
  while (in.remaining() > 0) {
    if (!in.has(kServiceStartOctets)) return std::nullopt;
    in.skip(kServiceStartOctets);
    const std::optional<Bytes> descriptors = read_counted(in);
    const bool is_good = descriptors && read_descriptors(*descriptors, [&](std::uint8_t tag, Bytes descriptor) {
                           if (tag != kServiceTag) return;
                           if (std::optional<std::string> name = service_name(descriptor)) {
                             names.push_back(std::move(*name));
                           }
                         });
    if (!is_good) return std::nullopt;
  }
  return names;
}

}  // namespace amt
