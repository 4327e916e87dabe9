#pragma once
/// The sections of program specific information (ISO/IEC 13818-1 §2.4.4, EN 300 468 §5.2.3) that describe a transport
/// stream. By hand: libdvbpsi 1.3 reads past the end of a PMT whose lengths are wrong, and every sender to a channel
/// can write such lengths. Pure.

#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.hh"

namespace amt {

inline constexpr std::uint8_t kPatTableId = 0x00;
inline constexpr std::uint8_t kPmtTableId = 0x02;
/// EN 300 468 §5.2.3: the SDT of the stream that carries it.
inline constexpr std::uint8_t kActualSdtTableId = 0x42;

/// A section in the long form: with table_id_extension, version and CRC.
struct PsiSection {
  std::uint8_t table_id = 0;
  /// Of a PAT and an SDT the transport_stream_id, of a PMT the program_number.
  std::uint16_t extension = 0;
  /// current_next_indicator: false announces the next version.
  bool is_current = false;
  /// section_number: a table of one section has 0.
  std::uint8_t number = 0;
  /// Between last_section_number and CRC; points into the parsed section.
  Bytes content{};
};

struct PatEntry {
  std::uint16_t program = 0;
  std::uint16_t pid = 0;
};

struct PmtEntry {
  std::uint8_t stream_type = 0;
  std::uint16_t pid = 0;
  /// Tags of its descriptors, and the name of a registration_descriptor ("HEVC"); empty: none.
  std::vector<std::uint8_t> descriptor_tags{};
  std::string registration{};
};

/// `section`: from table_id to CRC, nothing behind. Nothing: another form, a wrong length or a wrong CRC.
[[nodiscard]] std::optional<PsiSection> parse_psi_section(Bytes section);

/// Each takes the content of a section of its table. Nothing: a length inside leads past its end. The network PID
/// (program 0) is left out.
[[nodiscard]] std::optional<std::vector<PatEntry>> parse_pat(Bytes content);
[[nodiscard]] std::optional<std::vector<PmtEntry>> parse_pmt(Bytes content);
/// The names of the service_descriptors (EN 300 468 §6.2.33), as they stand there.
[[nodiscard]] std::optional<std::vector<std::string>> parse_sdt(Bytes content);

}  // namespace amt
