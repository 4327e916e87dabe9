#pragma once
/// MPEG-2 transport streams (ISO/IEC 13818-1 §2.4.3): their losses, and their clock.

#include <array>
#include <cstdint>
#include <optional>

#include "base/byte_reader.hh"

namespace amt {

inline constexpr std::size_t kTsPacketOctets = 188;
inline constexpr std::byte kTsSync{0x47};
/// PCR ticks of 27 MHz, and where they wrap: 2^33 * 300.
inline constexpr std::int64_t kPcrTicksPerSecond = 27'000'000;
inline constexpr std::int64_t kPcrWrap = (std::int64_t{1} << 33) * 300;

/// Whole packets, every one with its sync octet.
[[nodiscard]] bool is_transport_stream(Bytes bytes);

/// One packet of 188 octets that starts with the sync octet.
struct TsPacketView {
  std::uint16_t pid = 0;
  bool transport_error = false;
  bool unit_start = false;  ///< payload_unit_start_indicator: a PES packet or a section begins here
  bool scrambled = false;
  bool has_payload = false;
  bool discontinuity = false;
  bool random_access = false;
  std::uint8_t continuity = 0;
  Bytes payload{};                  ///< behind the header and the adaptation field; empty where `has_payload` is false
  std::optional<std::int64_t> pcr;  ///< 0 to kPcrWrap - 1

  static TsPacketView parse(Bytes packet);
};

/// Finds gaps by the continuity counter of each PID: modulo 16, so whole multiples of 16 go unseen.
class TsMeter {
 public:
  TsMeter();
  void add(const TsPacketView& packet);
  /// Too much may be missing for the counters to show: they begin again.
  void resynchronise();
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t errors() const { return errors_; }  ///< transport_error_indicator

 private:
  struct PidState {
    std::uint8_t continuity = kUnknown;
    bool was_duplicate = false;
  };
  static constexpr std::uint8_t kUnknown = 0xff;
  std::array<PidState, 8192> pids_{};
  std::uint64_t packets_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t errors_ = 0;
};

}  // namespace amt
