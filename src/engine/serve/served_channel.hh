#pragma once
/// One channel that is received once and watched by many.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/gateway/receiver.hh"
#include "engine/serve/stream_viewer.hh"
#include "media/rtp_reception.hh"
#include "stream/hls_segmenter.hh"

namespace amt {

/// Equal for two requests of the same channel.
struct ChannelKey {
  Channel channel;
  std::uint16_t port = 0;
  /// Asked for in place of the relays that the daemon knows.
  std::optional<Endpoint> relay{};

  friend auto operator<=>(const ChannelKey&, const ChannelKey&) = default;
};

/// `SOURCE@GROUP:PORT`, IPv6 in brackets.
[[nodiscard]] std::string to_string(const ChannelKey& key);

/// The counts of all channels of a daemon, of those that were left, too.
struct ServeTotals {
  std::uint64_t packets = 0;          ///< UDP datagrams
  std::uint64_t received_octets = 0;  ///< their payloads
  std::uint64_t sent_octets = 0;
  std::uint64_t viewers = 0;  ///< that began to watch
  std::uint64_t skips = 0;
  std::uint64_t skipped_octets = 0;
  std::uint64_t stalled = 0;  ///< viewers that were let go since they took nothing
};

/// Receives while it lives. On the loop's thread. Costs for a datagram one copy into the ring. Each viewer costs one
/// system call in `kFlushMin` to `kFlushMax`, the longer the more viewers there are.
class ServedChannel {
 public:
  static constexpr Duration kFlushMin = std::chrono::milliseconds(2);
  static constexpr Duration kFlushMax = std::chrono::milliseconds(40);
  /// Players ask for a playlist once in a segment's time.
  static constexpr Duration kHlsIdle = std::chrono::seconds(15);
  /// One viewer's share of the time between two flushes.
  static constexpr Duration kFlushShare = std::chrono::microseconds(40);

  /// `totals` outlives the channel.
  static SysResult<std::unique_ptr<ServedChannel>> create(EventLoop& loop, const ChannelKey& key,
                                                          ReceiverOptions options, Random& random,
                                                          std::size_t ring_octets, ServeTotals& totals);
  ~ServedChannel();

  /// Calls `done` once: when the stream can begin, with nothing, or after `wait_max` with a text that says what is
  /// missing. Not when the channel goes first.
  using StartHandler = std::function<void(std::optional<std::string> why_not)>;
  void await_start(Duration wait_max, StartHandler done);
  /// Takes over a connection whose header has been sent, and sends what there is. There must be a start: `await_start`
  /// said so.
  void add_viewer(UniqueFd socket, std::string name);
  /// Calls `done` once, when there is a first HLS segment; else the same.
  void await_segment(Duration wait_max, StartHandler done);
  /// Segments are made from the first `await_segment` on, until this has not been called for `kHlsIdle`; null: none are
  /// made. A reader by HLS is a viewer meanwhile.
  [[nodiscard]] const HlsSegmenter* use_hls(Instant now);
  /// There has been no viewer and no waiting request since then; none: there is one now.
  [[nodiscard]] std::optional<Instant> unused_since() const;
  void shutdown();

  struct ViewerStatus {
    std::string name;
    std::uint64_t sent_octets = 0;
    std::uint64_t behind_octets = 0;
    std::uint64_t skips = 0;
    Duration since{};
  };
  struct Status {
    ChannelKey key;
    std::string state;  ///< "waiting", "playing", "silent"
    /// Of "waiting" and "silent", in words.
    std::string reason;
    std::string service_name;
    std::vector<std::string> streams;  ///< "H.264", "AAC"
    bool is_scrambled = false;
    std::size_t viewers_waiting = 0;
    bool is_read_by_hls = false;
    std::vector<ViewerStatus> viewers;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    std::uint64_t bits_per_second = 0;
    std::uint64_t lost = 0;  ///< transport packets, by their continuity counters
    std::uint64_t discarded_octets = 0;
    std::uint64_t late = 0;        ///< RTP packets after their time
    std::uint64_t duplicates = 0;  ///< RTP packets
    std::uint64_t repaired = 0;    ///< RTP packets that were lost, and made anew
    std::uint64_t skips = 0;
    std::vector<Endpoint> relays;
    ServedBy served_by = ServedBy::kNobody;
    std::optional<std::string> native_interface;
    std::optional<Duration> silence;
    std::uint64_t memory_octets = 0;
  };
  [[nodiscard]] Status status(Instant now) const;
  [[nodiscard]] std::size_t viewer_count() const { return viewers_.size() + waiting_.size(); }
  [[nodiscard]] const LiveStream& stream() const { return stream_; }

 private:
  struct Waiting {
    Instant until;
    bool for_segment = false;
    StartHandler done;
  };

  ServedChannel(EventLoop& loop, ChannelKey key, std::size_t ring_octets, ServeTotals& totals);
  void on_packets(Instant now, std::span<const Payload> packets);
  void take(Instant now, std::span<const Bytes> payloads);
  void set_rtp_timer();
  void schedule_flush(Instant now);
  void flush();
  void send_to(StreamViewer& viewer, Instant now);
  void catch_up(StreamViewer& viewer);
  [[nodiscard]] bool is_ready(const Waiting& one) const;
  void answer_waiting();
  void on_second();
  void drop_viewer(std::list<StreamViewer>::iterator viewer);
  [[nodiscard]] std::string reason_of_waiting() const;

  EventLoop& loop_;
  ChannelKey key_;
  ServeTotals& totals_;
  LiveStream stream_;
  RtpReception reception_;
  std::vector<RtpReception::Datagram> datagrams_;
  std::list<StreamViewer> viewers_;
  std::list<Waiting> waiting_;
  std::optional<HlsSegmenter> hls_;
  Instant hls_used_{};
  std::uint64_t packets_ = 0;
  std::uint64_t octets_ = 0;
  std::uint64_t octets_a_second_ago_ = 0;
  std::uint64_t bits_per_second_ = 0;
  std::uint64_t skips_ = 0;
  std::uint64_t flushed_to_ = 0;
  Instant last_flush_{};
  Instant last_data_{};
  Instant last_used_{};
  Timer rtp_timer_;
  Timer flush_timer_;
  Timer second_timer_;
  // Last: its handler uses the members above.
  std::unique_ptr<Receiver> receiver_;
};

}  // namespace amt
