#pragma once
/// A relay's state as octets: for the process that takes over from this one, or comes after it has died.
///
///     magic        8  "amtrelay"
///     version      4
///     boot        16  of which boot of the machine the clock is
///     written      8  nanoseconds of CLOCK_MONOTONIC
///     record       1  type, then
///                  4  length, then the record
///     ...
///     end          1  type 0, then
///                  4  length 16, then
///                 16  BLAKE2b of everything before
///
/// Numbers are in network order. Times are nanoseconds after `written`. The hash finds damage; it keeps nobody out.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/byte_reader.hh"
#include "relay/relay.hh"
#include "relay/tunnel_state.hh"

namespace amt {

/// Changes whenever a reader of before would misread a record.
inline constexpr std::uint32_t kStateVersion = 1;
/// Several million tunnels.
inline constexpr std::size_t kStateOctetsMax = std::size_t{1} << 30;

/// Which boot of which machine: instants of another one mean nothing here.
using BootId = std::array<std::byte, 16>;

/// What all workers have in common.
struct SharedState {
  RelaySecret seed;
  Instant since{};
  /// Which worker an endpoint belongs to.
  std::uint32_t steering_key = 0;
  std::uint16_t workers = 1;
  bool is_draining = false;
  /// That there are sockets for.
  std::vector<LocalAddress> addresses{};
};

/// Makes records. What several writers made may follow each other in any order.
class StateRecords {
 public:
  /// `written`: the document's.
  explicit StateRecords(Instant written) : written_(written) {}

  void add(const SharedState& shared);
  void add(const TunnelState& tunnel);
  void add(const TunnelUse& use);
  void add(const Relay::ChannelStatus& channel);
  void add(std::string_view counter, std::uint64_t value);

  [[nodiscard]] Bytes octets() const { return octets_; }
  void clear() { octets_.clear(); }

 private:
  class Record;
  Instant written_;
  std::vector<std::byte> octets_;
};

/// Puts records together.
class StateDocument {
 public:
  StateDocument(const BootId& boot, Instant written);
  ~StateDocument();
  StateDocument(StateDocument&&) noexcept;
  StateDocument& operator=(StateDocument&&) noexcept;

  /// Whole records.
  void append(Bytes records);
  /// The document; once, after the last record.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  struct Hash;
  std::vector<std::byte> octets_;
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

/// Takes what is read, in the document's order. References end with the call.
class StateVisitor {
 public:
  StateVisitor() = default;
  StateVisitor(const StateVisitor&) = delete;
  StateVisitor& operator=(const StateVisitor&) = delete;
  virtual ~StateVisitor() = default;

  virtual void visit(const SharedState& shared) = 0;
  virtual void visit(const TunnelState& tunnel) = 0;
  virtual void visit(const TunnelUse& use) = 0;
  virtual void visit(const Relay::ChannelStatus& channel) = 0;
  virtual void visit(std::string_view counter, std::uint64_t value) = 0;
};

/// A document that has been looked at as a whole: each record in it can be read.
class StateReader {
 public:
  /// `document` outlives the result, and was written no longer than `age_max` before `now` in the boot `boot`.
  [[nodiscard]] static Result<StateReader, StateRefusal> open(Bytes document, const BootId& boot, Instant now,
                                                              Duration age_max);

  /// Its last record of this kind; nothing: it has none.
  [[nodiscard]] const std::optional<SharedState>& shared() const { return shared_; }
  void visit(StateVisitor& visitor) const;

 private:
  StateReader(Bytes records, Instant written) : records_(records), written_(written) {}

  Bytes records_;
  Instant written_;
  std::optional<SharedState> shared_{};
};

}  // namespace amt
