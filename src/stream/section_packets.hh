#pragma once
/// The packets of one PID that carry one section of program specific information (ISO/IEC 13818-1 §2.4.4).

#include <vector>

#include "media/transport_stream.hh"

namespace amt {

/// Gathers the packets of a section as they came. Pure.
class SectionPackets {
 public:
  /// Takes the next packet of the PID. True: a section is whole with it.
  bool add(Bytes packet, const TsPacketView& view);
  /// Of the last whole section.
  [[nodiscard]] const std::vector<std::byte>& packets() const { return packets_; }
  /// The section itself, from table_id to CRC.
  [[nodiscard]] const std::vector<std::byte>& section() const { return section_; }

 private:
  /// §2.4.4.11: a private section has 4096 octets at most, any other less.
  static constexpr std::size_t kSectionOctetsMax = 4096;
  /// Of a section whose pointer_field is as large as can be.
  static constexpr std::size_t kPacketsMax = 25;

  [[nodiscard]] bool is_whole();

  std::vector<std::byte> packets_;
  std::vector<std::byte> section_;
  std::vector<std::byte> gathered_packets_;
  std::vector<std::byte> gathered_;
  std::uint8_t continuity_ = 0;
};

}  // namespace amt
