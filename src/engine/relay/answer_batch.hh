#pragma once
/// Control messages on their way out: those of one batch of input leave by one sendmmsg.

#include <vector>

#include "base/byte_reader.hh"
#include "io/udp_socket.hh"

namespace amt {

/// Owned by one worker, not thread-safe. Allocates only until it has grown to the size of a batch.
class AnswerBatch {
 public:
  /// Copies `datagram`. Answers that wait for another socket, or a full batch, go out first.
  void add(UdpSocket& socket, const Endpoint& to, Bytes datagram);
  /// An answer that cannot be sent is logged at debug level and dropped: the gateway will ask again.
  void flush();

 private:
  struct Answer {
    Endpoint to;
    std::size_t first_octet;
    std::size_t octets;
  };
  UdpSocket* socket_ = nullptr;
  std::vector<Answer> answers_;
  std::vector<std::byte> octets_;
  std::vector<Bytes> pieces_;
  std::vector<Transmit> messages_;
};

}  // namespace amt
