/// Sends UDP datagrams as Ethernet frames of its own, past the kernel's UDP and IP, at a steady pace: what such ways
/// cost, to be compared with those of bench_blaster. Arguments and output are the same, but for multicast.

#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hh"
#include "io/xdp_port.hh"
#include "ip/udp_frame.hh"
#include "paced_load.hh"
#include "sockets.hh"
#include "sys/next_hop.hh"
#include "wire/message.hh"

namespace amt {
namespace {

// METHOD: xdp (AF_XDP, copy mode), packet (AF_PACKET by sendmmsg, PACKET_QDISC_BYPASS), packet-ring (its transmit
// ring). Further destinations are further ports.
const std::string kUsage = std::string("METHOD FROM TO:PORT ") + PacedLoad::kUsage;
constexpr std::size_t kAtOnce = 64;
constexpr std::size_t kSlots = 1024;
constexpr std::size_t kSlotOctets = 2048;

/// One way to put frames on a link.
class Method {
 public:
  virtual ~Method() = default;
  virtual void send(const UdpFrameHeader& header, Bytes payload, std::uint16_t sum) = 0;
  virtual void flush() = 0;
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 protected:
  static std::size_t write(MutableBytes frame, const UdpFrameHeader& header, Bytes payload, std::uint16_t sum) {
    header.write(frame, payload.size(), sum, Ecn::kNotEct);
    std::memcpy(frame.subspan(header.octets(), payload.size()).data(), payload.data(), payload.size());
    return header.octets() + payload.size();
  }
  std::uint64_t failed_ = 0;
};

class ByXdp final : public Method {
 public:
  explicit ByXdp(const std::string& interface) {
    SysResult<XdpPort> port = XdpPort::open(interface);
    if (!port) Arguments::fail("AF_XDP", port.error().to_string().c_str());
    port_ = std::make_unique<XdpPort>(std::move(*port));
  }
  void send(const UdpFrameHeader& header, Bytes payload, std::uint16_t sum) override {
    while (!port_->has_room(1)) flush();
    port_->push(write(port_->frame(), header, payload, sum), 0);
    if (++pushed_ == kAtOnce) flush();
  }
  void flush() override {
    if (!port_->flush([this](std::uint32_t, int) { ++failed_; })) Arguments::fail("AF_XDP", "the interface is down");
    pushed_ = 0;
  }

 private:
  std::unique_ptr<XdpPort> port_;
  std::size_t pushed_ = 0;
};

UniqueFd packet_socket() {
  // Without a protocol it receives nothing.
  UniqueFd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) Arguments::fail("AF_PACKET", std::strerror(errno));
  set_option(socket.get(), SOL_PACKET, PACKET_QDISC_BYPASS, int{1}, "PACKET_QDISC_BYPASS");
  return socket;
}

void bind_packet(int fd, const std::string& interface) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    Arguments::fail("bind AF_PACKET", std::strerror(errno));
  }
}

/// The headers in a place of their own, the payload where it is.
class ByPacket final : public Method {
 public:
  explicit ByPacket(const std::string& interface) : socket_(packet_socket()) { bind_packet(socket_.get(), interface); }
  void send(const UdpFrameHeader& header, Bytes payload, std::uint16_t sum) override {
    header.write(headers_[count_], payload.size(), sum, Ecn::kNotEct);
    vectors_[count_] = {
        {{headers_[count_].data(), header.octets()}, {const_cast<std::byte*>(payload.data()), payload.size()}}};
    messages_[count_].msg_hdr = {};
    messages_[count_].msg_hdr.msg_iov = vectors_[count_].data();
    messages_[count_].msg_hdr.msg_iovlen = vectors_[count_].size();
    if (++count_ == kAtOnce) flush();
  }
  void flush() override {
    for (std::size_t done = 0; done < count_;) {
      const int sent = ::sendmmsg(socket_.get(), &messages_[done], static_cast<unsigned>(count_ - done), 0);
      if (sent <= 0) ++failed_;
      done += static_cast<std::size_t>(std::max(sent, 1));
    }
    count_ = 0;
  }

 private:
  UniqueFd socket_;
  std::size_t count_ = 0;
  std::array<std::array<std::byte, UdpFrameHeader::kOctetsMax>, kAtOnce> headers_{};
  std::array<std::array<iovec, 2>, kAtOnce> vectors_{};
  std::array<mmsghdr, kAtOnce> messages_{};
};

class ByPacketRing final : public Method {
 public:
  explicit ByPacketRing(const std::string& interface) : socket_(packet_socket()) {
    set_option(socket_.get(), SOL_PACKET, PACKET_VERSION, int{TPACKET_V2}, "PACKET_VERSION");
    const tpacket_req request{kSlots * kSlotOctets / 32, 32, kSlotOctets, kSlots};
    set_option(socket_.get(), SOL_PACKET, PACKET_TX_RING, request, "PACKET_TX_RING");
    void* const memory = ::mmap(nullptr, kSlots * kSlotOctets, PROT_READ | PROT_WRITE, MAP_SHARED, socket_.get(), 0);
    if (memory == MAP_FAILED) Arguments::fail("mmap", std::strerror(errno));
    ring_ = {static_cast<std::byte*>(memory), kSlots * kSlotOctets};
    bind_packet(socket_.get(), interface);
  }
  void send(const UdpFrameHeader& header, Bytes payload, std::uint16_t sum) override {
    const MutableBytes slot = ring_.subspan(next_ * kSlotOctets, kSlotOctets);
    auto& about = *reinterpret_cast<tpacket2_hdr*>(slot.data());
    while (std::atomic_ref(about.tp_status).load(std::memory_order_acquire) != TP_STATUS_AVAILABLE) flush();
    about.tp_len = static_cast<std::uint32_t>(write(slot.subspan(TPACKET_ALIGN(sizeof about)), header, payload, sum));
    std::atomic_ref(about.tp_status).store(TP_STATUS_SEND_REQUEST, std::memory_order_release);
    next_ = (next_ + 1) % kSlots;
    if (++pushed_ == kAtOnce) flush();
  }
  void flush() override {
    if (::send(socket_.get(), nullptr, 0, 0) < 0) ++failed_;
    pushed_ = 0;
  }

 private:
  UniqueFd socket_;
  MutableBytes ring_;
  std::size_t next_ = 0;
  std::size_t pushed_ = 0;
};

std::unique_ptr<Method> method_of(std::string_view name, const std::string& interface) {
  if (name == "xdp") return std::make_unique<ByXdp>(interface);
  if (name == "packet") return std::make_unique<ByPacket>(interface);
  if (name == "packet-ring") return std::make_unique<ByPacketRing>(interface);
  Arguments::fail("usage", kUsage.c_str());
}

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 3 + amt::PacedLoad::kArguments, amt::kUsage.c_str());
  const std::string_view name = arguments.text();
  const amt::Endpoint from = arguments.endpoint();
  const amt::Endpoint first = arguments.endpoint();
  const amt::PacedLoad load = amt::PacedLoad::take(arguments);
  if (load.octets + amt::UdpFrameHeader::kOctetsMax > 1500) amt::Arguments::fail("usage", amt::kUsage.c_str());

  amt::SysResult<amt::NextHopQueries> queries = amt::NextHopQueries::open();
  const auto route = queries ? queries->route(from, first) : std::nullopt;
  const auto link = route ? queries->ethernet_link(route->interface) : std::nullopt;
  const auto mac = link ? queries->neighbour(route->interface, route->neighbour) : std::nullopt;
  if (!mac) amt::Arguments::fail("no resolved neighbour towards", first.to_string().c_str());
  std::vector<amt::UdpFrameHeader> headers;
  for (std::uint32_t i = 0; i < load.destinations(); ++i) {
    const amt::Endpoint to{first.address, static_cast<std::uint16_t>(first.port + i)};
    headers.emplace_back(amt::UdpFlow{.neighbour = *mac, .interface = link->mac, .from = from, .to = to});
  }
  const std::unique_ptr<amt::Method> method = amt::method_of(name, link->name);
  // What the sink takes for AMT Data: it only looks at the first octet.
  const std::vector<std::byte> payload(load.octets, amt::wire::kDataHeader[0]);

  const auto send = [&](std::size_t to) {
    for (std::uint32_t packet = 0; packet < load.at_once; ++packet) {
      const std::uint16_t sum = amt::payload_sum(payload);
      for (std::size_t one = to; one < to + load.each; ++one) method->send(headers[one], payload, sum);
    }
  };
  load.run(
      send, [&] { method->flush(); }, [&] { return method->failed(); });
}
