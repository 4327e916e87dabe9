#pragma once
/// The data of `amt send`, and its schedule.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.hh"
#include "base/random.hh"
#include "cli/stop_signal.hh"
#include "config/config.hh"
#include "sys/error.hh"

namespace amt {

/// One datagram after another: `next`, wait until it is due, `payload`.
class SendSource {
 public:
  SendSource() = default;
  SendSource(const SendSource&) = delete;
  SendSource& operator=(const SendSource&) = delete;
  virtual ~SendSource() = default;

  /// When the next datagram is due, after the start; nothing: that was all. Error: the input cannot be read.
  virtual SysResult<std::optional<Duration>> next() = 0;
  /// Its octets, valid until `next`. `now`: when it is sent.
  virtual Bytes payload(Instant now) = 0;
  /// How late a sender may be before the schedule moves (Schedule), with the octets that `next` read.
  [[nodiscard]] virtual Duration lateness_max() const = 0;
  /// How long a datagram may be held back at most (Schedule): longer is no wish of a live input's.
  [[nodiscard]] virtual Duration hold_max() const { return Duration::max(); }
  /// For the log: "numbered packets".
  [[nodiscard]] virtual std::string description() const = 0;
};

/// By `config`: numbered packets, or its file; a transport stream is recognised by its first octets.
/// `stop` and `random` must outlive the source.
[[nodiscard]] SysResult<std::unique_ptr<SendSource>> make_send_source(const SendConfig& config, const StopSignal& stop,
                                                                      Random& random);

}  // namespace amt
