#pragma once
/// The contents of a transport stream by its tables: its programs, their streams, and the service's name.

#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "stream/psi_section.hh"
#include "stream/section_packets.hh"

namespace amt {

enum class StreamKind : std::uint8_t {
  kMpegVideo,  ///< MPEG-1 and MPEG-2
  kH264,
  kHevc,
  kOtherVideo,
  kMpegAudio,
  kAac,
  kAc3,
  kEac3,
  kOtherAudio,
  kOther,
};
[[nodiscard]] bool is_video(StreamKind kind);
[[nodiscard]] bool is_audio(StreamKind kind);
/// For people: "H.264".
[[nodiscard]] std::string_view name_of(StreamKind kind);

struct ElementaryStream {
  std::uint16_t pid = 0;
  StreamKind kind = StreamKind::kOther;
};

struct Program {
  std::uint16_t number = 0;
  std::uint16_t map_pid = 0;
  std::vector<ElementaryStream> streams{};
};

/// Follows the PAT, the PMTs and the SDT (ISO/IEC 13818-1 §2.4.4, EN 300 468 §5.2.3). A table is parsed when its octets
/// change, not when its version_number does: encoders that start again begin with the same number. Of a table of
/// several sections the first is followed. Pure.
class ProgramMap {
 public:
  /// The number of programs of a multiplex that are followed: the first ones.
  static constexpr std::size_t kProgramsMax = 32;
  static constexpr std::size_t kStreamsMax = 64;  ///< of one program

  /// Takes one packet, of any PID. Cost for a PID without tables: one look-up.
  void add(Bytes packet, const TsPacketView& view);

  /// Those whose PMT has come, in the PAT's order.
  [[nodiscard]] const std::vector<Program>& programs() const { return known_; }
  /// The stream whose key frames start a picture: the first video, else the first audio. None: not known yet.
  [[nodiscard]] std::optional<ElementaryStream> leading_stream() const { return leading_; }
  /// Of the same program, or of the first that has one.
  [[nodiscard]] std::optional<ElementaryStream> first_audio() const { return audio_; }
  /// The packets of the PAT and of the PMTs, as they came last; empty: they have not come.
  [[nodiscard]] std::vector<std::byte> tables() const;
  /// Of the first service; empty: none was said. Printable UTF-8.
  [[nodiscard]] const std::string& service_name() const { return service_name_; }
  /// Sections that could not be parsed.
  [[nodiscard]] std::uint64_t bad_tables() const { return bad_tables_; }

 private:
  struct Table {
    SectionPackets incoming{};
    /// Of the last section that was taken.
    std::vector<std::byte> packets{};
    std::vector<std::byte> section{};
    Program program{};
  };

  void take_association(Bytes packet, const TsPacketView& view);
  void take_map(Table& table, Bytes packet, const TsPacketView& view);
  void take_services(Bytes packet, const TsPacketView& view);
  template <typename Wanted, typename Take>
  void take_section(Table& table, Bytes packet, const TsPacketView& view, Wanted is_wanted, Take take);
  void set_programs(const std::vector<PatEntry>& entries);
  void refresh_known();

  Table association_;
  Table services_;
  std::vector<Table> maps_;
  std::bitset<8192> has_tables_{std::bitset<8192>().set(0).set(0x11)};
  std::vector<Program> known_;
  std::optional<ElementaryStream> leading_;
  std::optional<ElementaryStream> audio_;
  std::string service_name_;
  std::uint64_t bad_tables_ = 0;
};

}  // namespace amt
