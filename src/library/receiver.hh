#pragma once
/// The implementation of `amt_receiver`: the receiver of `amt receive` on a loop of the caller's.

#include <memory>
#include <optional>

#include "engine/gateway/receiver.hh"
#include "engine/runtime/poll_loop.hh"
#include "library/packet_queue.hh"
#include "library/receiver_config.hh"
#include "sys/os_random.hh"

namespace amt {

/// One thread at a time.
class LibraryReceiver {
 public:
  static Result<std::unique_ptr<LibraryReceiver>, Failure> open(const ReceiveConfig& config,
                                                                const amt_receiver_options& options);
  ~LibraryReceiver();

  [[nodiscard]] int fd() const { return loop_->fd(); }
  [[nodiscard]] Instant next_deadline() const { return loop_->next_deadline(); }
  [[nodiscard]] Result<void, Failure> process();
  /// Another channel in place of this one. On failure this one goes on.
  [[nodiscard]] Result<void, Failure> join(const ChannelUrl& url);
  [[nodiscard]] PacketQueue& queue() { return queue_; }
  /// `struct_size` is 0.
  [[nodiscard]] amt_receiver_statistics statistics() const;
  [[nodiscard]] std::string reason_of_silence() const { return receiver_->reason_of_silence(); }

 private:
  LibraryReceiver(std::unique_ptr<PollLoop> loop, std::size_t queue_octets)
      : loop_(std::move(loop)), queue_(queue_octets) {}
  [[nodiscard]] Result<void, Failure> begin(const ChannelUrl& url);
  void take(Instant now, std::span<const Payload> packets);

  ReceiveConfig config_;
  /// The channel at hand; that of `config_` at the beginning.
  ChannelUrl url_;
  std::function<void(const ClientEvent& event)> on_event_;
  OsRandom random_;
  std::unique_ptr<PollLoop> loop_;
  PacketQueue queue_;
  /// This object's own counters.
  amt_receiver_statistics counted_{};
  // Last: it ends before the loop that it runs on.
  std::unique_ptr<Receiver> receiver_;
};

}  // namespace amt
