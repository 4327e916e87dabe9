#pragma once
/// What a process knows, as octets: for the process that takes over from it, or comes after it has died.
///
///     magic        8  what kind of program wrote it
///     version      4
///     boot        16  of which boot of the machine the clock is
///     written      8  nanoseconds of CLOCK_MONOTONIC
///     record       1  type, then
///                  4  length, then the record (state_record.hh)
///     ...
///     end          1  type 0, then
///                  4  length 16, then
///                 16  BLAKE2b of everything before
///
/// Numbers are in network order. The hash finds damage; it keeps nobody out.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "amt/result.hh"
#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "base/state_record.hh"

namespace amt {

/// A document that is larger is none.
inline constexpr std::size_t kStateOctetsMax = std::size_t{1} << 30;

/// Which boot of which machine: instants of another one mean nothing here.
using BootId = std::array<std::byte, 16>;

/// Whose state it is.
struct StateFormat {
  /// 8 octets.
  std::string_view magic;
  /// Changes whenever a reader of before would misread a record.
  std::uint32_t version = 0;
};

/// Puts records together.
class StateDocument {
 public:
  StateDocument(const StateFormat& format, const BootId& boot, Instant written);
  ~StateDocument();
  StateDocument(StateDocument&&) noexcept;
  StateDocument& operator=(StateDocument&&) noexcept;

  /// Whole records, of any type but 0.
  void append(Bytes records);
  /// The document; once, after the last record.
  [[nodiscard]] StateOctets finish();

 private:
  struct Hash;
  StateOctets octets_;
  std::unique_ptr<Hash> hash_;
};

enum class StateRefusal : std::uint8_t {
  kNoState,       ///< something else
  kOtherVersion,  ///< of another release of this program
  kDamaged,       ///< cut off, or changed
  kOtherBoot,     ///< written before the machine started anew
  kTooOld,
};
/// "damaged".
[[nodiscard]] std::string_view to_string(StateRefusal refusal);

/// The records of a document that is whole.
class StateBody {
 public:
  /// `document` outlives the result. It was written no longer than `age_max` before `now` in the boot `boot`.
  [[nodiscard]] static Result<StateBody, StateRefusal> open(Bytes document, const StateFormat& format,
                                                            const BootId& boot, Instant now, Duration age_max);

  struct Record {
    std::uint8_t type = 0;
    StateRecordReader reader;
  };
  /// The next record, from the first on; nothing: that was the last, or (`is_broken`) what is left is none.
  [[nodiscard]] std::optional<Record> next();
  [[nodiscard]] bool is_broken() const { return rest_.remaining() != 0; }
  [[nodiscard]] Instant written() const { return written_; }

 private:
  StateBody(Bytes records, Instant written) : rest_(records), written_(written) {}

  ByteReader rest_;
  Instant written_;
};

}  // namespace amt
