/// What anyone would write first: joins one channel natively, and sends each datagram that arrives on to many
/// destinations, in front of it as many octets as AMT and the inner headers have. METHOD sendto: one recv, one sendto
/// per copy; sendmmsg: recvmmsg, one sendmmsg per datagram. The baseline that does the relay's whole work.

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "arguments.hh"
#include "sockets.hh"
#include "wire/message.hh"

namespace amt {
namespace {

constexpr char kUsage[] = "METHOD INTERFACE GROUP:PORT SOURCE FROM TO:PORT DESTINATIONS";
// AMT, inner IPv4, inner UDP.
constexpr std::size_t kHeaderOctets = wire::kDataHeaderOctets + 20 + 8;
constexpr std::size_t kReceivedMax = 64;
constexpr std::size_t kMessagesMax = 1024;

class Forwarder {
 public:
  Forwarder(int in, int out, std::vector<SocketAddress> to) : in_(in), out_(out), to_(std::move(to)) {
    for (std::size_t i = 0; i < kReceivedMax; ++i) {
      buffers_[i].fill(wire::kDataHeader[0]);
      vectors_[i] = {buffers_[i].data() + kHeaderOctets, buffers_[i].size() - kHeaderOctets};
      received_[i].msg_hdr.msg_iov = &vectors_[i];
      received_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void one_by_one() {
    std::array<std::byte, kOctetsMax>& buffer = buffers_.front();
    const ssize_t octets = ::recv(in_, buffer.data() + kHeaderOctets, buffer.size() - kHeaderOctets, 0);
    if (octets < 0) return;
    for (SocketAddress& one : to_) {
      ::sendto(out_, buffer.data(), kHeaderOctets + static_cast<std::size_t>(octets), 0, one.data(), one.size());
    }
  }
  void batched() {
    const int count = ::recvmmsg(in_, received_.data(), kReceivedMax, MSG_WAITFORONE, nullptr);
    for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
      iovec copy{buffers_[i].data(), kHeaderOctets + received_[i].msg_len};
      for (std::size_t at = 0; at < to_.size(); at += kMessagesMax) {
        const std::size_t messages = std::min(kMessagesMax, to_.size() - at);
        for (std::size_t j = 0; j < messages; ++j) {
          sent_[j].msg_hdr = {};
          sent_[j].msg_hdr.msg_name = to_[at + j].data();
          sent_[j].msg_hdr.msg_namelen = to_[at + j].size();
          sent_[j].msg_hdr.msg_iov = &copy;
          sent_[j].msg_hdr.msg_iovlen = 1;
        }
        ::sendmmsg(out_, sent_.data(), static_cast<unsigned>(messages), 0);
      }
    }
  }

 private:
  static constexpr std::size_t kOctetsMax = 2048;
  int in_;
  int out_;
  std::vector<SocketAddress> to_;
  std::array<std::array<std::byte, kOctetsMax>, kReceivedMax> buffers_{};
  std::array<iovec, kReceivedMax> vectors_{};
  std::array<mmsghdr, kReceivedMax> received_{};
  std::array<mmsghdr, kMessagesMax> sent_{};
};

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 7, amt::kUsage);
  const bool batched = arguments.text() == "sendmmsg";
  const std::string interface(arguments.text());
  const amt::Endpoint channel = arguments.endpoint();
  const amt::IpAddress source = arguments.endpoint().address;
  const amt::Endpoint from = arguments.endpoint();
  const amt::Endpoint first = arguments.endpoint();
  const auto destinations = arguments.number<std::uint16_t>();

  const amt::UniqueFd in = amt::bind_socket(channel);
  amt::join_natively(in.get(), interface, source, channel.address);
  const amt::UniqueFd out = amt::bind_socket(from);
  std::vector<amt::SocketAddress> to;
  for (std::uint32_t i = 0; i < destinations; ++i) to.push_back(amt::destination(first, i));
  static amt::Forwarder forwarder(in.get(), out.get(), std::move(to));
  std::puts("joined");
  std::fflush(stdout);
  for (;;) batched ? forwarder.batched() : forwarder.one_by_one();
}
