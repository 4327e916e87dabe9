#pragma once
#include "base/counters.hh"

namespace amt {

/// What became of the announcements that were heard.
enum class SapCounter : std::uint8_t {
  kAnnouncements,
  kDeletions,
  kSigned,
  kExpired,
  kMalformed,
  kTooLarge,
  kVersion,
  kEncrypted,
  kCompressed,
  kPayloadType,
  kNoStream,
  kEnded,
  kForeign,
  kFull,
  kRate,
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(SapCounter which);

}  // namespace amt
