#pragma once
/// One channel of `amt receive`: its reception, output and report.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/payload_writer.hh"
#include "cli/receive_report.hh"
#include "config/config.hh"

namespace amt {

/// The callbacks of `ReceivedChannel`.
struct ReceivedChannelEvents {
  /// As many packets as `--count` says have come; nothing more is taken.
  std::function<void()> on_count;
  /// The output is gone; nothing more is written.
  std::function<void(const SysError& error)> on_output_failure;
};

/// Lives on its event loop's thread.
class ReceivedChannel {
 public:
  ReceivedChannel(EventLoop& loop, const ReceiveConfig& config, ChannelUrl url, ReceivedChannelEvents events);

  /// Error EEXIST: as `open_output`.
  SysResult<void> open_output(const ReceiveOutput& output);
  SysResult<void> open_receiver(RelaySetOptions relays, Random& random);
  /// Writes waiting packets, leaves the channel. Once, at the end.
  void close();

  [[nodiscard]] const ChannelUrl& url() const { return url_; }
  [[nodiscard]] ReceiveReport& report() { return report_; }
  [[nodiscard]] const ReceiveReport& report() const { return report_; }
  [[nodiscard]] Instant last_arrival() const { return last_arrival_; }
  /// Nothing has come for a while: one log line, and another when data comes again; none more often than each minute.
  void log_silence(Instant now);
  [[nodiscard]] std::string reason_of_silence() const;
  /// After `close`: prints the rest of the report. True: nothing was lost or damaged.
  [[nodiscard]] const ReceiveReport::Surroundings& surroundings() const { return surroundings_; }
  [[nodiscard]] bool is_faultless() const { return report_.is_faultless(surroundings_.drops); }

 private:
  void on_packets(Instant now, std::span<const Payload> packets);
  /// Puts the payloads for the output into `taken_`, and reports the media. True: there was media.
  bool take(Instant now, std::span<const Payload> packets);
  [[nodiscard]] PayloadDrops drops() const;
  /// Before its log lines, where there are several channels.
  [[nodiscard]] std::string label() const;

  EventLoop& loop_;
  const ReceiveConfig& config_;
  ChannelUrl url_;
  ReceivedChannelEvents events_;
  ReceiveReport report_;
  std::optional<PayloadWriter> writer_;
  std::vector<Payload> taken_;
  std::uint64_t other_port_ = 0;
  Instant started_{};
  Instant last_arrival_{};
  Instant silence_logged_ = Instant::min();
  bool is_silence_logged_ = false;
  bool is_over_ = false;
  ReceiveReport::Surroundings surroundings_;
  std::unique_ptr<Receiver> receiver_;
};

/// Of its recording: `SOURCE_GROUP_PORT.ts`, without colons, which some file systems do not take.
[[nodiscard]] std::string recording_name(const ChannelUrl& url);

}  // namespace amt
