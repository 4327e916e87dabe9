#include "io/order_port.hh"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/assert.hh"
#include "io/order_layout.h"
#include "ip/udp.hh"
#include "ip/udp_frame.hh"
#include "sys/netlink.hh"
#include "sys/unique_fd.hh"

// Written by bpftool; it wants the types of order_layout.h.
#include <orders.skel.h>

namespace amt {
namespace {

static_assert(OrderPort::kCopiesMax == AMT_ORDER_COPIES_MAX);
static_assert(OrderPort::kDevicesMax == AMT_ORDER_DEVICES_MAX);
static_assert(OrderPort::kDestinationsMax == AMT_ORDER_DESTINATIONS);
static_assert(OrderPort::kHeaderOctets == sizeof(amt_destination));
static_assert(OrderPort::with_ecn(0, Ecn::kEct1) == 1U << AMT_ORDER_ECN_SHIFT);

constexpr const char* kControlPath = "/dev/net/tun";
constexpr std::uint32_t kMtuOctets = OrderPort::kFrameOctetsMax;

struct DestroyProgram {
  void operator()(orders* program) const { orders::destroy(program); }
};

/// An error of libbpf's is a negative errno, here or in errno.
tl::unexpected<SysError> failed(const char* call, int error) {
  return tl::unexpected(SysError{call, "--data-path orders", error < 0 ? -error : errno});
}

iovec vector_of(Bytes bytes) {
  // writev() only reads.
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

struct OrderPort::Impl {
  SysResult<void> open_interface();
  SysResult<void> load();
  SysResult<void> make_maps();

  // The program lets go of the interface before that ends.
  UniqueFd tap;
  int interface = 0;
  std::unique_ptr<orders, DestroyProgram> program;
  /// As in the program's `copies`.
  std::vector<UniqueFd> maps;
};

SysResult<void> OrderPort::Impl::open_interface() {
  // Without O_NONBLOCK the kernel would make a packet of each write first, at the cost that this port avoids.
  tap = UniqueFd(::open(kControlPath, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tap) return tl::unexpected(SysError::last("open", kControlPath));
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::ranges::copy(std::string_view("amto%d"), request.ifr_name);
  if (::ioctl(tap.get(), TUNSETIFF, &request) != 0) {
    return tl::unexpected(SysError::last("create interface", "amto%d"));
  }
  interface = static_cast<int>(::if_nametoindex(request.ifr_name));
  // Only orders shall pass here, so IPv6 is off on the device.
  if (SysResult<void> set = set_no_ipv6_address(interface); !set) return set;
  if (SysResult<void> set = set_link_mtu(interface, kMtuOctets); !set) return set;
  return set_link_up(interface);
}

SysResult<void> OrderPort::Impl::load() {
  libbpf_set_print(nullptr);
  program.reset(orders::open_and_load());
  if (!program) return failed("load BPF program for", 0);
  program->bss->own_interface = interface;
  program->links.replicate = bpf_program__attach_xdp(program->progs.replicate, interface);
  if (program->links.replicate == nullptr) return failed("attach XDP program for", 0);
  program->links.count_sent = bpf_program__attach(program->progs.count_sent);
  if (program->links.count_sent == nullptr) return failed("attach to tracepoint xdp_devmap_xmit for", 0);
  return make_maps();
}

SysResult<void> OrderPort::Impl::make_maps() {
  std::array<std::uint32_t, kDevicesMax * kCopiesMax> keys{};
  std::array<int, kDevicesMax * kCopiesMax> fds{};
  for (std::uint32_t key = 0; key < keys.size(); ++key) {
    const auto entries = static_cast<std::uint32_t>(key % kCopiesMax + 1);
    UniqueFd map(bpf_map_create(BPF_MAP_TYPE_DEVMAP, "amt_copies", sizeof(std::uint32_t), sizeof(bpf_devmap_val),
                                entries, nullptr));
    if (!map) return failed("create BPF map for", 0);
    keys[key] = key;
    fds[key] = map.get();
    maps.push_back(std::move(map));
  }
  // At once: after each change the kernel waits for all that may still see the map as it was.
  auto count = static_cast<std::uint32_t>(keys.size());
  const int error = bpf_map_update_batch(bpf_map__fd(program->maps.copies), keys.data(), fds.data(), &count, nullptr);
  if (error != 0) return failed("fill BPF map for", error);
  return {};
}

OrderPort::OrderPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OrderPort::~OrderPort() = default;
OrderPort::OrderPort(OrderPort&&) noexcept = default;
OrderPort& OrderPort::operator=(OrderPort&&) noexcept = default;

SysResult<OrderPort> OrderPort::open() {
  auto impl = std::make_unique<Impl>();
  if (SysResult<void> opened = impl->open_interface(); !opened) return tl::unexpected(opened.error());
  if (SysResult<void> loaded = impl->load(); !loaded) return tl::unexpected(loaded.error());
  return OrderPort(std::move(impl));
}

SysResult<void> OrderPort::set_device(std::size_t device, int interface) {
  AMT_ASSERT(device < kDevicesMax);
  bpf_devmap_val value{};
  value.ifindex = static_cast<std::uint32_t>(interface);
  value.bpf_prog.fd = bpf_program__fd(impl_->program->progs.write_headers);
  for (std::uint32_t copies = 1; copies <= kCopiesMax; ++copies) {
    const int map = impl_->maps[device * kCopiesMax + copies - 1].get();
    for (std::uint32_t key = 0; key < copies; ++key) {
      const int error = bpf_map_update_elem(map, &key, &value, BPF_ANY);
      if (error != 0) return failed("set device for", error);
    }
  }
  return {};
}

MutableBytes OrderPort::header_of(std::uint32_t destination) {
  AMT_ASSERT(destination < kDestinationsMax);
  return std::as_writable_bytes(std::span(impl_->program->bss->destinations[destination].words));
}

std::uint64_t OrderPort::send(const Order& order) {
  static constexpr std::array<std::byte, UdpFrameHeader::kOctetsMax> kRoomForHeaders{};
  const std::size_t copies = order.destinations.size();
  const std::size_t ip_octets = order.is_v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  const std::size_t header_octets = kEthernetHeaderOctets + ip_octets + kUdpHeaderOctets;
  AMT_ASSERT(order.device < kDevicesMax && copies > 0 && copies <= kCopiesMax &&
             header_octets + order.payload.size() <= kFrameOctetsMax);
  const auto udp_octets = static_cast<std::uint16_t>(kUdpHeaderOctets + order.payload.size());
  amt_order& shared = impl_->program->bss->order;
  shared.map = static_cast<std::uint32_t>(order.device * kCopiesMax + copies - 1);
  shared.is_ipv6 = order.is_v4 ? 0 : 1;
  shared.ip_length = htons(static_cast<std::uint16_t>(order.is_v4 ? ip_octets + udp_octets : udp_octets));
  shared.udp_length = htons(udp_octets);
  // Once in the pseudo-header, once in the header.
  const std::uint32_t sum = order.sum + 2U * udp_octets;
  shared.udp_sum = htons(static_cast<std::uint16_t>((sum & 0xffffU) + (sum >> 16U)));
  std::ranges::copy(order.destinations, static_cast<std::uint32_t*>(shared.destinations));
  shared.sent = 0;
  const std::array<iovec, 2> vectors = {vector_of(Bytes(kRoomForHeaders).first(header_octets)),
                                        vector_of(order.payload)};
  if (::writev(impl_->tap.get(), vectors.data(), vectors.size()) < 0) return 0;
  return shared.sent;
}

int OrderPort::interface() const { return impl_->interface; }

std::optional<MutableBytes> OrderPort::receive(MutableBytes into) {
  const ssize_t octets = ::read(impl_->tap.get(), into.data(), into.size());
  if (octets < 0) return std::nullopt;
  return into.first(static_cast<std::size_t>(octets));
}

}  // namespace amt
