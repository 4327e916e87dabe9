#pragma once
/// libdvbpsi behind types of this project.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.hh"

namespace amt {

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

/// Each takes the packets of one section, the first with payload_unit_start_indicator. Nothing: no such table, or its
/// CRC is wrong. The network PID (program 0) is left out.
[[nodiscard]] std::optional<std::vector<PatEntry>> decode_pat(Bytes packets);
[[nodiscard]] std::optional<std::vector<PmtEntry>> decode_pmt(Bytes packets, std::uint16_t program);
/// The service_descriptors' names of the SDT of this transport stream, as they stand there.
[[nodiscard]] std::optional<std::vector<std::string>> decode_sdt(Bytes packets);

}  // namespace amt
