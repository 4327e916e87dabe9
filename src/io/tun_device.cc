#include "io/tun_device.hh"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "io/offload.hh"
#include "io/udp_merge.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

constexpr const char* kControlPath = "/dev/net/tun";
/// TUN_F_USO4, TUN_F_USO6: since Linux 6.2, missing in Debian 12's headers.
constexpr unsigned long kTunUso4 = 0x20;
constexpr unsigned long kTunUso6 = 0x40;
constexpr std::size_t kReceiveMax = 64;
constexpr std::size_t kSlotOctets = kVirtioHeaderOctets + 65'535;
// The virtio header has been read before its octets are overwritten.
static_assert(kVirtioHeaderOctets >= kCaptureHeadroomOctets);

iovec vector_of(Bytes bytes) {
  // writev() only reads.
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

/// Whether merged UDP may be written. The kernel takes it on any TUN device as soon as it knows the feature; it is not
/// kept on, so that read datagrams have finished checksums and are never merged.
bool probe_merged_writes(int fd) {
  const bool known = ::ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | kTunUso4 | kTunUso6) == 0;
  ::ioctl(fd, TUNSETOFFLOAD, 0UL);
  return known;
}

}  // namespace

struct TunDevice::Impl {
  /// True when the kernel took it.
  bool write_one(Bytes datagram);
  bool write_merged(std::span<const Bytes> datagrams);

  UniqueFd fd;
  std::string name;
  int index = 0;
  bool is_tap = false;
  bool merges = false;
  std::uint64_t drops = 0;
  /// Uninitialised: pages come into being as they are read into.
  std::unique_ptr<std::byte[]> slots = std::make_unique_for_overwrite<std::byte[]>(kReceiveMax * kSlotOctets);
  std::vector<MutableBytes> received;
};

bool TunDevice::Impl::write_one(Bytes datagram) {
  const std::array<std::byte, kVirtioHeaderOctets> nothing_to_do{};
  const std::array<iovec, 2> vectors = {vector_of(nothing_to_do), vector_of(datagram)};
  return ::writev(fd.get(), vectors.data(), vectors.size()) >= 0;
}

bool TunDevice::Impl::write_merged(std::span<const Bytes> datagrams) {
  const MergedHeader merged = merged_header(datagrams);
  VirtioHeader header;
  header.flags = kVirtioNeedsChecksum;
  header.gso_type = kVirtioGsoUdp;
  header.header_octets = static_cast<std::uint16_t>(merged.size);
  header.gso_octets = static_cast<std::uint16_t>(merged.segment_octets);
  header.checksum_start = static_cast<std::uint16_t>(merged.udp_at);
  header.checksum_offset = 6;
  std::array<std::byte, kVirtioHeaderOctets> virtio{};
  header.write(virtio);
  std::array<iovec, 2 + kMergeMax> vectors;
  vectors[0] = vector_of(virtio);
  vectors[1] = vector_of(std::span(merged.octets).first(merged.size));
  for (std::size_t i = 0; i < datagrams.size(); ++i) vectors[2 + i] = vector_of(datagrams[i].subspan(merged.size));
  return ::writev(fd.get(), vectors.data(), static_cast<int>(2 + datagrams.size())) >= 0;
}

TunDevice::TunDevice(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TunDevice::~TunDevice() = default;
TunDevice::TunDevice(TunDevice&&) noexcept = default;
TunDevice& TunDevice::operator=(TunDevice&&) noexcept = default;

SysResult<TunDevice> TunDevice::create(const TunOptions& options) {
  if (options.name.size() >= IFNAMSIZ) {
    return tl::unexpected(SysError{"create interface", options.name, ENAMETOOLONG});
  }
  auto impl = std::make_unique<Impl>();
  impl->fd = UniqueFd(::open(kControlPath, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!impl->fd) return tl::unexpected(SysError::last("open", kControlPath));
  ifreq request{};
  request.ifr_flags = static_cast<short>((options.tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR);
  options.name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(impl->fd.get(), TUNSETIFF, &request) != 0) {
    SysError error = SysError::last("create interface", options.name);
    // The kernel's errors for an interface of another kind that has the name.
    if (error.code == EINVAL && find_link(options.name)) error.code = EBUSY;
    return tl::unexpected(error);
  }
  impl->name = request.ifr_name;
  impl->index = static_cast<int>(::if_nametoindex(request.ifr_name));
  impl->is_tap = options.tap;
  impl->merges = !options.tap && probe_merged_writes(impl->fd.get());
  if (SysResult<void> set = set_link_mtu(impl->index, options.mtu_octets); !set) return tl::unexpected(set.error());
  return TunDevice(std::move(impl));
}

SysResult<TunDevice> TunDevice::adopt(UniqueFd fd, std::uint64_t drops_before) {
  ifreq request{};
  if (::ioctl(fd.get(), TUNGETIFF, &request) != 0) return tl::unexpected(SysError::last("take over interface"));
  auto impl = std::make_unique<Impl>();
  impl->fd = std::move(fd);
  impl->name = request.ifr_name;
  impl->index = static_cast<int>(::if_nametoindex(request.ifr_name));
  impl->is_tap = (request.ifr_flags & IFF_TAP) != 0;
  impl->merges = !impl->is_tap && probe_merged_writes(impl->fd.get());
  impl->drops = drops_before;
  return TunDevice(std::move(impl));
}

int TunDevice::fd() const { return impl_->fd.get(); }
int TunDevice::index() const { return impl_->index; }
const std::string& TunDevice::name() const { return impl_->name; }
bool TunDevice::is_tap() const { return impl_->is_tap; }
std::uint64_t TunDevice::send_drops() const { return impl_->drops; }

SysResult<std::span<const MutableBytes>> TunDevice::receive() {
  impl_->received.clear();
  while (impl_->received.size() < kReceiveMax) {
    std::byte* const slot = impl_->slots.get() + impl_->received.size() * kSlotOctets;
    const ssize_t octets = ::read(impl_->fd.get(), slot, kSlotOctets);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno != EAGAIN && impl_->received.empty()) {
      return tl::unexpected(SysError::last("read", impl_->name));
    }
    if (octets < static_cast<ssize_t>(kVirtioHeaderOctets)) break;
    impl_->received.push_back(MutableBytes(slot, static_cast<std::size_t>(octets)).subspan(kVirtioHeaderOctets));
  }
  return std::span<const MutableBytes>(impl_->received);
}

Taken TunDevice::send_frames(const MacAddress& source, std::span<const SplitDatagram> datagrams) {
  const std::array<std::byte, kVirtioHeaderOctets> nothing_to_do{};
  Taken taken;
  for (const SplitDatagram& datagram : datagrams) {
    const std::optional<IpAddress> group = datagram.group();
    if (!group) continue;
    const auto header = ethernet_header(multicast_mac(*group), source, ethertype_of(group->family()));
    const std::array<iovec, 4> vectors = {vector_of(nothing_to_do), vector_of(header), vector_of(datagram.head),
                                          vector_of(datagram.tail)};
    if (::writev(impl_->fd.get(), vectors.data(), vectors.size()) < 0) continue;
    ++taken.datagrams;
    taken.octets += datagram.size();
  }
  impl_->drops += datagrams.size() - taken.datagrams;
  return taken;
}

Taken TunDevice::send(std::span<const Bytes> datagrams) {
  Taken taken;
  for (std::size_t at = 0; at < datagrams.size();) {
    const std::span<const Bytes> rest = datagrams.subspan(at);
    const std::size_t count = impl_->merges ? mergeable(rest) : 1;
    const bool written = count > 1 ? impl_->write_merged(rest.first(count)) : impl_->write_one(rest[0]);
    if (!written && count > 1 && errno == EINVAL) {
      // The probe was wrong about this kernel: the same again, one by one.
      impl_->merges = false;
      continue;
    }
    if (written) {
      taken.datagrams += count;
      for (const Bytes datagram : rest.first(count)) taken.octets += datagram.size();
    }
    at += count;
  }
  impl_->drops += datagrams.size() - taken.datagrams;
  return taken;
}

}  // namespace amt
