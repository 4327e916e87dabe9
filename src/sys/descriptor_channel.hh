#pragma once
/// Messages with descriptors, from one process of this host to another.

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "amt/time.hh"
#include "base/byte_reader.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct DescriptorMessage {
  std::vector<std::byte> octets{};
  std::vector<UniqueFd> descriptors{};
};

/// One end. Messages stay whole and in order (SOCK_SEQPACKET), and sent messages can be read after the sender has
/// closed its end, or has died. Not thread-safe.
class DescriptorChannel {
 public:
  /// The limits of one message.
  static constexpr std::size_t kDescriptorsMax = 200;
  static constexpr std::size_t kOctetsMax = std::size_t{32} << 10;

  [[nodiscard]] static SysResult<std::pair<DescriptorChannel, DescriptorChannel>> pair();
  explicit DescriptorChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  /// Not empty. The descriptors stay the caller's, too. Error EAGAIN: the other end does not read.
  [[nodiscard]] SysResult<void> send(Bytes octets, std::span<const int> descriptors);
  /// Waits this long for one. Nothing: the other end is closed. Error ETIMEDOUT; EMFILE: this process has no room for
  /// the descriptors.
  [[nodiscard]] SysResult<std::optional<DescriptorMessage>> receive(Duration patience);

  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

/// The same over any UNIX socket that is connected; the latter takes up to `octets_max` octets.
[[nodiscard]] SysResult<void> send_message(int socket, Bytes octets, std::span<const int> descriptors);
[[nodiscard]] SysResult<std::optional<DescriptorMessage>> receive_message(int socket, std::size_t octets_max,
                                                                          Duration patience);
/// The process at the other end of a UNIX socket.
struct PeerIdentity {
  unsigned uid = 0;
  int pid = 0;
};
[[nodiscard]] SysResult<PeerIdentity> peer_identity(int socket);

}  // namespace amt
