#pragma once
/// A viewer of a channel over a TCP connection.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/runtime/socket_watch.hh"
#include "stream/live_stream.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Sends a stream from the channel's one ring: a viewer is a position in it, and the kernel's socket buffer. A viewer
/// that falls behind the ring goes on at the newest start point, behind a whole transport packet. Lives on the loop's
/// thread; `stream` outlives it.
class StreamViewer {
 public:
  /// Of the kernel, for each viewer. It is half a second of 8 Mbit/s, and 1 Mbit each 100 ms of round trip time.
  static constexpr int kSocketBufferOctets = 256 * 1024;
  /// A viewer that takes nothing for this long is gone, or has stopped its player.
  static constexpr Duration kStallMax = std::chrono::minutes(1);
  /// The most that is handed to the kernel at once, so that a viewer that catches up does not delay the others.
  static constexpr std::size_t kSendOctetsMax = 1 << 20;

  StreamViewer(EventLoop& loop, const LiveStream& stream, UniqueFd socket, std::string name);
  /// Once, before `begin`. `on_gone`: the connection has ended; it may destroy this object. `on_writable`: the socket,
  /// which was full, takes octets again.
  void on_events(std::function<void()> on_gone, std::function<void()> on_writable);

  /// Begins where the stream has newcomers begin, which must have a start point.
  void begin(Instant now);
  /// Sends as much as the socket takes.
  void send(Instant now);
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  /// It took nothing for `kStallMax`.
  [[nodiscard]] bool is_stalled(Instant now) const { return is_blocked_ && now - last_progress_ > kStallMax; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t sent_octets() const { return sent_octets_; }
  [[nodiscard]] std::uint64_t skips() const { return skips_; }
  [[nodiscard]] std::uint64_t skipped_octets() const { return skipped_octets_; }
  [[nodiscard]] std::uint64_t behind_octets() const { return stream_.ring().end() - position_; }
  [[nodiscard]] Instant since() const { return since_; }

 private:
  void on_readable();
  void skip_if_late();
  void start_at(const StartPoint& start);
  void advance(std::size_t octets);

  const LiveStream& stream_;
  UniqueFd socket_;
  std::string name_;
  std::function<void()> on_gone_;
  std::function<void()> on_writable_;
  Instant since_{};
  Instant last_progress_{};
  /// Sent before the ring's octets from `position_` on: the rest of a packet, and tables.
  std::vector<std::byte> first_;
  std::size_t first_sent_ = 0;
  std::uint64_t position_ = 0;
  bool is_blocked_ = false;
  bool has_failed_ = false;
  std::uint64_t sent_octets_ = 0;
  std::uint64_t skips_ = 0;
  std::uint64_t skipped_octets_ = 0;
  std::size_t received_octets_ = 0;
  // Last: its handlers use the members above.
  SocketWatch watch_;
};

}  // namespace amt
