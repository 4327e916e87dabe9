#pragma once
/// The C interface of amt/amt.h for C++17: the same functions, with an owner and without pointers. Header only; throws
/// nothing.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "amt/amt.h"

namespace amt {

/// One channel's reception. Move-only; one thread at a time.
class ChannelReceiver {
 public:
  /// Null: `error` says why. `options`: see amt_receiver_options.
  static std::optional<ChannelReceiver> open(const std::string& url, amt_error& error,
                                             const amt_receiver_options* options = nullptr) {
    amt_receiver* const receiver = amt_receiver_open(url.c_str(), options, &error);
    if (receiver == nullptr) return std::nullopt;
    return ChannelReceiver(receiver);
  }

  /// To be waited for, as poll(2) does, for `timeout_ms` at most.
  [[nodiscard]] int fd() const { return amt_receiver_fd(receiver_.get()); }
  [[nodiscard]] int timeout_ms() const { return amt_receiver_timeout_ms(receiver_.get()); }
  /// False: see `error`.
  [[nodiscard]] bool process() { return amt_receiver_process(receiver_.get()) == AMT_OK; }
  [[nodiscard]] const amt_error& error() const { return *amt_receiver_error(receiver_.get()); }

  /// The next datagram; its payload is good until the next `process` or `join`. None waits: nothing.
  [[nodiscard]] std::optional<amt_packet> next() {
    amt_packet packet;
    if (amt_receiver_next(receiver_.get(), &packet) == 0) return std::nullopt;
    return packet;
  }
  /// Another channel in this one's place. False: see `error`; the old one goes on.
  [[nodiscard]] bool join(const std::string& url) { return amt_receiver_join(receiver_.get(), url.c_str()) == AMT_OK; }

  [[nodiscard]] amt_receiver_statistics statistics() const {
    amt_receiver_statistics statistics{};
    statistics.struct_size = sizeof statistics;
    amt_receiver_get_statistics(receiver_.get(), &statistics);
    return statistics;
  }

 private:
  struct Close {
    void operator()(amt_receiver* receiver) const { amt_receiver_close(receiver); }
  };
  explicit ChannelReceiver(amt_receiver* receiver) : receiver_(receiver) {}

  std::unique_ptr<amt_receiver, Close> receiver_;
};

/// The octets of a packet's payload.
[[nodiscard]] inline std::string_view payload_of(const amt_packet& packet) {
  return {static_cast<const char*>(packet.payload), packet.octets};
}

}  // namespace amt
