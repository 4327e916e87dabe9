#pragma once
/// All channels that are served: made for the first viewer, left some seconds after the last one.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/serve/served_channel.hh"

namespace amt {

struct StreamServiceOptions {
  std::size_t channels_max = 32;
  std::size_t viewers_max = 2000;                   ///< of all channels together
  std::size_t ring_octets = std::size_t{16} << 20;  ///< of each channel
  /// How long a channel is received after its last viewer: a viewer that changes back and forth, or a player that
  /// connects a second time, finds it running.
  Duration linger = std::chrono::seconds(5);
  /// The relays to ask for a channel; its channel and port are filled in. Error: one line for the user.
  std::function<Result<ReceiverOptions, std::string>(const ChannelKey& key)> receiver_options;
};

enum class StreamRefusal : std::uint8_t { kChannels, kViewers, kReceiver };

/// Lives on its event loop's thread.
class StreamService {
 public:
  StreamService(EventLoop& loop, StreamServiceOptions options, Random& random);
  ~StreamService();

  struct Refused {
    StreamRefusal reason{};
    std::string text;
  };
  /// The channel, received from now on if it was not; valid until the caller returns to the loop. Each call is for one
  /// more viewer, or one that reads segments.
  [[nodiscard]] Result<ServedChannel*, Refused> open(const ChannelKey& key);
  /// The same without beginning one. Null: it is not received.
  [[nodiscard]] ServedChannel* find(const ChannelKey& key) const;
  /// Leaves all channels and closes the viewers' connections.
  void shutdown();

  [[nodiscard]] std::vector<ServedChannel::Status> status(Instant now) const;
  [[nodiscard]] const ServeTotals& totals() const { return totals_; }
  [[nodiscard]] std::size_t channel_count() const { return channels_.size(); }
  [[nodiscard]] std::size_t viewer_count() const;
  [[nodiscard]] std::uint64_t refused(StreamRefusal reason) const { return refused_[static_cast<std::size_t>(reason)]; }

 private:
  Unexpected<Refused> refuse(StreamRefusal reason, std::string text);
  void on_timer();

  EventLoop& loop_;
  StreamServiceOptions options_;
  Random& random_;
  ServeTotals totals_;
  std::array<std::uint64_t, 3> refused_{};
  std::map<ChannelKey, std::unique_ptr<ServedChannel>> channels_;
  Timer timer_;
};

}  // namespace amt
