#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

#include "io/peer_error.hh"
#include "io/udp_sender.hh"

namespace amt {
namespace {

bool is_full(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

std::size_t total_octets(const Transmit& message) {
  std::size_t octets = 0;
  for (const Bytes piece : message.pieces) octets += piece.size();
  return octets;
}

bool wants_segments(const Transmit& message) {
  return message.segment_octets != 0 && total_octets(message) > message.segment_octets;
}

iovec vector_of(Bytes piece) {
  // sendmsg() only reads.
  return {const_cast<std::byte*>(piece.data()), piece.size()};
}

/// sendmmsg for the messages of `rest`: how many from the front went out; 0 with the errno of the first.
std::size_t send_some(int fd, std::span<mmsghdr> rest, int& code) {
  for (SendTries tries;;) {
    const int sent = ::sendmmsg(fd, rest.data(), static_cast<unsigned>(rest.size()), 0);
    if (sent > 0) return static_cast<std::size_t>(sent);
    code = errno;
    if (!tries.again(code)) return 0;
  }
}

template <typename T>
void append_control(msghdr& header, int level, int type, T value) {
  std::byte* const at = static_cast<std::byte*>(header.msg_control) + header.msg_controllen;
  cmsghdr* const message = reinterpret_cast<cmsghdr*>(at);
  message->cmsg_level = level;
  message->cmsg_type = type;
  message->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(message), &value, sizeof value);
  header.msg_controllen += CMSG_SPACE(sizeof value);
}

}  // namespace

UdpSocket::Sender::Sender()
    : headers_(kChunkMessages), addresses_(kChunkMessages), controls_(kChunkMessages), first_vector_(kChunkMessages) {}

void UdpSocket::Sender::set_control(msghdr& header, Control& control, const Transmit& message, bool segmented) {
  header.msg_control = control.octets.data();
  header.msg_controllen = 0;
  if (message.ecn != Ecn::kNotEct) {
    const int traffic_class = static_cast<int>(message.ecn);
    if (message.to.address.is_v4()) {
      append_control(header, IPPROTO_IP, IP_TOS, traffic_class);
    } else {
      append_control(header, IPPROTO_IPV6, IPV6_TCLASS, traffic_class);
    }
  }
  if (segmented) {
    append_control(header, IPPROTO_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(message.segment_octets));
  }
  if (header.msg_controllen == 0) header.msg_control = nullptr;
}

void UdpSocket::Sender::prepare(std::span<const Transmit> chunk) {
  vectors_.clear();
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    first_vector_[i] = vectors_.size();
    for (const Bytes piece : chunk[i].pieces) vectors_.push_back(vector_of(piece));
  }
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    addresses_[i] = SocketAddress(chunk[i].to);
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = addresses_[i].data();
    header.msg_namelen = addresses_[i].size();
    header.msg_iov = vectors_.data() + first_vector_[i];
    header.msg_iovlen = chunk[i].pieces.size();
    set_control(header, controls_[i], chunk[i], wants_segments(chunk[i]));
  }
}

std::size_t UdpSocket::Sender::send_chunk(int fd, std::span<const Transmit> chunk, int& code) {
  prepare(chunk);
  std::size_t done = 0;
  while (done < chunk.size()) {
    const std::size_t sent = send_some(fd, std::span(headers_).subspan(done, chunk.size() - done), code);
    if (sent == 0) break;
    done += sent;
  }
  return done;
}

int UdpSocket::Sender::send_apart(int fd, const Transmit& message, std::uint64_t& unsent) {
  std::vector<iovec> datagram;
  SocketAddress to(message.to);
  Control control;
  int first_error = 0;
  std::size_t number = 0;
  std::size_t room = message.segment_octets;
  unsent = 0;
  const auto flush = [&] {
    mmsghdr one{};
    one.msg_hdr.msg_name = to.data();
    one.msg_hdr.msg_namelen = to.size();
    one.msg_hdr.msg_iov = datagram.data();
    one.msg_hdr.msg_iovlen = datagram.size();
    set_control(one.msg_hdr, control, message, false);
    int code = 0;
    if (is_full(first_error) || send_some(fd, {&one, 1}, code) == 0) {
      if (first_error == 0 || is_full(code)) first_error = code;
      if (number < kSegmentsMax) unsent |= std::uint64_t{1} << number;
    }
    ++number;
    datagram.clear();
    room = message.segment_octets;
  };
  for (Bytes piece : message.pieces) {
    while (!piece.empty()) {
      const Bytes head = piece.first(std::min(room, piece.size()));
      datagram.push_back(vector_of(head));
      piece = piece.subspan(head.size());
      room -= head.size();
      if (room == 0) flush();
    }
  }
  if (!datagram.empty()) flush();
  return first_error;
}

std::size_t UdpSocket::Sender::send(int fd, std::span<const Transmit> messages, const OnSendError& on_error) {
  const auto goes_apart = [this](const Transmit& message) {
    return !refusing_.empty() && wants_segments(message) && refusing_.contains(message.to.address);
  };
  std::size_t delivered = 0;
  std::size_t index = 0;
  while (index < messages.size()) {
    int code = 0;
    std::uint64_t unsent = UINT64_MAX;
    if (goes_apart(messages[index])) {
      code = send_apart(fd, messages[index], unsent);
    } else {
      std::span<const Transmit> chunk = messages.subspan(index, std::min(kChunkMessages, messages.size() - index));
      const auto end = std::find_if(chunk.begin(), chunk.end(), goes_apart);
      chunk = chunk.first(static_cast<std::size_t>(end - chunk.begin()));
      const std::size_t sent = send_chunk(fd, chunk, code);
      delivered += sent;
      index += sent;
      if (sent == chunk.size()) continue;
      const Transmit& refused = messages[index];
      if (wants_segments(refused) && (code == EIO || code == EINVAL || code == EMSGSIZE)) {
        // Too large for the path or too many pieces says nothing of the path's abilities; EIO does (no checksum
        // offload, or a transformation such as IPsec).
        if (refusing_.size() >= kRefusingMax) refusing_.clear();
        if (code == EIO) refusing_.insert(refused.to.address);
        code = send_apart(fd, refused, unsent);
      }
    }
    if (is_full(code)) {
      on_error({index, code, unsent});
      while (++index < messages.size()) on_error({index, code});
      return delivered;
    }
    if (code == 0) {
      ++delivered;
    } else {
      on_error({index, code, unsent});
    }
    ++index;
  }
  return delivered;
}

}  // namespace amt
