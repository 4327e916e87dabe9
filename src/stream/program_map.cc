#include "stream/program_map.hh"

#include <algorithm>

namespace amt {
namespace {

constexpr std::uint16_t kPatPid = 0;
constexpr std::uint16_t kSdtPid = 0x11;

bool has_tag(const PmtEntry& entry, std::uint8_t tag) { return std::ranges::count(entry.descriptor_tags, tag) != 0; }

/// Streams that DVB (EN 300 468 §6.1) and registration descriptors identify by more than the stream_type.
StreamKind kind_of_private(const PmtEntry& entry) {
  if (has_tag(entry, 0x6a) || entry.registration == "AC-3") return StreamKind::kAc3;
  if (has_tag(entry, 0x7a) || entry.registration == "EAC3") return StreamKind::kEac3;
  if (has_tag(entry, 0x7c)) return StreamKind::kAac;
  if (has_tag(entry, 0x7b) || entry.registration == "Opus" || entry.registration == "BSSD") {
    return StreamKind::kOtherAudio;
  }
  if (entry.registration == "HEVC") return StreamKind::kHevc;
  if (entry.registration == "VC-1" || entry.registration == "AV01" || entry.registration == "drac") {
    return StreamKind::kOtherVideo;
  }
  return StreamKind::kOther;
}

/// ISO/IEC 13818-1 table 2-34; 0x81 and 0x87: ATSC A/53.
StreamKind kind_of(const PmtEntry& entry) {
  switch (entry.stream_type) {
    case 0x01:
    case 0x02:
      return StreamKind::kMpegVideo;
    case 0x03:
    case 0x04:
      return StreamKind::kMpegAudio;
    case 0x0f:
      return StreamKind::kAac;
    case 0x11:
      return StreamKind::kOtherAudio;  // AAC in LATM
    case 0x1b:
      return StreamKind::kH264;
    case 0x24:
      return StreamKind::kHevc;
    case 0x10:
    case 0x20:
    case 0x21:
    case 0x33:
    case 0x42:
    case 0xea:
      return StreamKind::kOtherVideo;
    case 0x81:
      return StreamKind::kAc3;
    case 0x87:
      return StreamKind::kEac3;
    default:
      return kind_of_private(entry);
  }
}

/// EN 300 468 annex A: an octet below 0x20 in front names the character table, 0x15 UTF-8. Other tables than that have
/// letters beyond ASCII where they like: a question mark stands for those.
std::string readable(std::string_view text) {
  constexpr char kFirstPrintable = 0x20;
  const bool is_utf8 = text.starts_with('\x15');
  std::string out;
  for (const char c : text) {
    const bool is_ascii = c >= kFirstPrintable && c < 0x7f;
    if (is_ascii) out += c;
    if (c < 0) out += is_utf8 ? c : '?';
  }
  return out;
}

}  // namespace

bool is_video(StreamKind kind) { return kind <= StreamKind::kOtherVideo; }
bool is_audio(StreamKind kind) { return !is_video(kind) && kind != StreamKind::kOther; }

std::string_view name_of(StreamKind kind) {
  switch (kind) {
    case StreamKind::kMpegVideo:
      return "MPEG-2 video";
    case StreamKind::kH264:
      return "H.264";
    case StreamKind::kHevc:
      return "HEVC";
    case StreamKind::kOtherVideo:
      return "video";
    case StreamKind::kMpegAudio:
      return "MPEG audio";
    case StreamKind::kAac:
      return "AAC";
    case StreamKind::kAc3:
      return "AC-3";
    case StreamKind::kEac3:
      return "E-AC-3";
    case StreamKind::kOtherAudio:
      return "audio";
    case StreamKind::kOther:
      break;
  }
  return "data";
}

/// Calls `take(content)` for a current first section for which `is_wanted(section)` holds, when it is another one than
/// the last. `take` says whether it could be parsed.
template <typename Wanted, typename Take>
void ProgramMap::take_section(Table& table, Bytes packet, const TsPacketView& view, Wanted is_wanted, Take take) {
  if (!table.incoming.add(packet, view)) return;
  if (table.incoming.section() != table.section) {
    const std::optional<PsiSection> section = parse_psi_section(table.incoming.section());
    if (section && (!section->is_current || section->number != 0 || !is_wanted(*section))) return;
    if (!section || !take(section->content)) {
      ++bad_tables_;
      return;
    }
    table.section = table.incoming.section();
  }
  // The newest, so that its continuity counter fits the packets that follow.
  table.packets = table.incoming.packets();
}

void ProgramMap::add(Bytes packet, const TsPacketView& view) {
  if (!has_tables_.test(view.pid)) return;
  if (view.pid == kPatPid) return take_association(packet, view);
  if (view.pid == kSdtPid) return take_services(packet, view);
  for (Table& table : maps_) {
    if (table.program.map_pid == view.pid) take_map(table, packet, view);
  }
}

void ProgramMap::take_association(Bytes packet, const TsPacketView& view) {
  take_section(
      association_, packet, view, [](const PsiSection& section) { return section.table_id == kPatTableId; },
      [this](Bytes content) {
        const std::optional<std::vector<PatEntry>> entries = parse_pat(content);
        if (entries) set_programs(*entries);
        return entries.has_value();
      });
}

/// One PID may carry the PMTs of several programs.
void ProgramMap::take_map(Table& table, Bytes packet, const TsPacketView& view) {
  Program& program = table.program;
  take_section(
      table, packet, view,
      [&](const PsiSection& section) { return section.table_id == kPmtTableId && section.extension == program.number; },
      [&](Bytes content) {
        const std::optional<std::vector<PmtEntry>> entries = parse_pmt(content);
        if (!entries) return false;
        program.streams.clear();
        for (const PmtEntry& entry : *entries) {
          if (program.streams.size() == kStreamsMax) break;
          program.streams.push_back({entry.pid, kind_of(entry)});
        }
        refresh_known();
        return true;
      });
}

void ProgramMap::take_services(Bytes packet, const TsPacketView& view) {
  take_section(
      services_, packet, view, [](const PsiSection& section) { return section.table_id == kActualSdtTableId; },
      [this](Bytes content) {
        const std::optional<std::vector<std::string>> names = parse_sdt(content);
        if (names && !names->empty()) service_name_ = readable(names->front());
        return names.has_value();
      });
}

void ProgramMap::set_programs(const std::vector<PatEntry>& entries) {
  std::vector<Table> maps;
  for (const PatEntry& entry : entries) {
    if (maps.size() == kProgramsMax) break;
    const auto known = std::ranges::find_if(maps_, [&](const Table& one) {
      return one.program.number == entry.program && one.program.map_pid == entry.pid;
    });
    maps.push_back(known != maps_.end()
                       ? std::move(*known)
                       : Table{.program = {.number = entry.program, .map_pid = entry.pid, .streams = {}}});
  }
  maps_ = std::move(maps);
  has_tables_.reset();
  has_tables_.set(kPatPid).set(kSdtPid);
  for (const Table& table : maps_) has_tables_.set(table.program.map_pid);
  refresh_known();
}

void ProgramMap::refresh_known() {
  known_.clear();
  audio_.reset();
  leading_.reset();
  for (const Table& table : maps_) {
    if (table.program.streams.empty()) continue;
    known_.push_back(table.program);
    for (const ElementaryStream& stream : table.program.streams) {
      if (!leading_ && is_video(stream.kind)) leading_ = stream;
      if (!audio_ && is_audio(stream.kind)) audio_ = stream;
    }
  }
  if (!leading_) leading_ = audio_;
}

std::vector<std::byte> ProgramMap::tables() const {
  std::vector<std::byte> out;
  if (known_.empty()) return out;
  out = association_.packets;
  for (const Table& table : maps_) out.insert(out.end(), table.packets.begin(), table.packets.end());
  return out;
}

}  // namespace amt
