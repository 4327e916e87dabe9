#pragma once
/// Where `amt receive` puts payloads.

#include <cstdint>
#include <memory>
#include <span>

#include "base/byte_reader.hh"
#include "config/config.hh"
#include "sys/error.hh"

namespace amt {

class PayloadOutput {
 public:
  PayloadOutput() = default;
  PayloadOutput(const PayloadOutput&) = delete;
  PayloadOutput& operator=(const PayloadOutput&) = delete;
  virtual ~PayloadOutput() = default;

  /// Error: the other end is gone for good (closed pipe, full disk); there is no point in going on.
  virtual SysResult<void> write(std::span<const Bytes> payloads) = 0;
  /// Payloads that the other end was too slow to take.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 protected:
  std::uint64_t dropped_ = 0;
};

/// Error EEXIST: the file holds something, and `overwrite` does not allow to lose it.
[[nodiscard]] SysResult<std::unique_ptr<PayloadOutput>> open_output(const ReceiveOutput& output, bool overwrite);

}  // namespace amt
