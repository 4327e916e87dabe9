#include "io/xdp_port.hh"

#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <vector>

#include "base/assert.hh"
#include "sys/ethtool.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

// 2 MB: below the 8 MB of locked memory that a process without privileges may have, with room for several interfaces.
constexpr std::uint32_t kFrames = 1024;
// The kernel requires a fill ring, even of a socket that never receives.
constexpr std::uint32_t kFillEntries = 64;
constexpr int kSendOctets = 8 << 20;
// Calls that move nothing before the rest waits for the next batch.
constexpr int kStallsMax = 4;
// Of a frame that was left from an earlier batch.
constexpr std::uint32_t kNoTag = UINT32_MAX;

class Mapping {
 public:
  Mapping() = default;
  static SysResult<Mapping> make(std::size_t octets, int flags, int fd, off_t offset) {
    void* const memory = ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, fd, offset);
    if (memory == MAP_FAILED) return tl::unexpected(SysError::last("map AF_XDP ring"));
    Mapping mapping;
    mapping.memory_ = {static_cast<std::byte*>(memory), octets};
    return mapping;
  }
  Mapping(Mapping&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Mapping() {
    if (!memory_.empty()) ::munmap(memory_.data(), memory_.size());
  }
  [[nodiscard]] MutableBytes bytes() const { return memory_; }

 private:
  MutableBytes memory_;
};

/// One ring shared with the kernel: its two counters and its entries.
template <typename Entry>
class Ring {
 public:
  SysResult<void> map(int fd, off_t page, const xdp_ring_offset& offsets) {
    SysResult<Mapping> mapping = Mapping::make(offsets.desc + kFrames * sizeof(Entry), MAP_SHARED, fd, page);
    if (!mapping) return tl::unexpected(mapping.error());
    memory_ = std::move(*mapping);
    offsets_ = offsets;
    return {};
  }
  [[nodiscard]] std::atomic_ref<std::uint32_t> producer() const { return counter(offsets_.producer); }
  [[nodiscard]] std::atomic_ref<std::uint32_t> consumer() const { return counter(offsets_.consumer); }
  [[nodiscard]] Entry& entry(std::uint32_t index) const {
    const std::size_t at = offsets_.desc + std::size_t{index % kFrames} * sizeof(Entry);
    return *reinterpret_cast<Entry*>(memory_.bytes().subspan(at, sizeof(Entry)).data());
  }

 private:
  [[nodiscard]] std::atomic_ref<std::uint32_t> counter(std::uint64_t at) const {
    return std::atomic_ref(
        *reinterpret_cast<std::uint32_t*>(memory_.bytes().subspan(at, sizeof(std::uint32_t)).data()));
  }
  Mapping memory_;
  xdp_ring_offset offsets_{};
};

template <typename T>
SysResult<void> set_option(int fd, int option, const T& value, const char* name, const std::string& interface) {
  if (::setsockopt(fd, SOL_XDP, option, &value, sizeof value) == 0) return {};
  return tl::unexpected(SysError::last(std::string("setsockopt ") + name, interface));
}

/// How many transmit queues the driver says that it has; 1 where it says nothing.
std::uint32_t transmit_queues(int fd, const std::string& interface) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (!call_driver(fd, interface, &channels)) return 1;
  return std::max<std::uint32_t>(1, channels.tx_count + channels.combined_count);
}

}  // namespace

struct XdpPort::Impl {
  SysResult<void> open(const std::string& interface);
  SysResult<void> bind(const std::string& interface);
  void reap();

  Mapping frames;
  Ring<xdp_desc> transmit;
  Ring<std::uint64_t> completed;
  /// By place in the transmit ring.
  std::array<std::uint32_t, kFrames> tags{};
  /// Offsets of free frames.
  std::vector<std::uint64_t> free;
  // Closed first: the kernel lets go of the rings.
  UniqueFd fd;
};

SysResult<void> XdpPort::Impl::open(const std::string& interface) {
  fd = UniqueFd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!fd) return tl::unexpected(SysError::last("open AF_XDP socket for", interface));
  SysResult<Mapping> memory = Mapping::make(kFrames * kFrameOctets, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!memory) return tl::unexpected(memory.error());
  frames = std::move(*memory);

  // As the oldest kernels have it; each newer one takes the shorter form, too.
  struct {
    std::uint64_t address;
    std::uint64_t octets;
    std::uint32_t chunk_octets;
    std::uint32_t headroom;
  } const region{reinterpret_cast<std::uintptr_t>(frames.bytes().data()), frames.bytes().size(), kFrameOctets, 0};
  if (SysResult<void> set = set_option(fd.get(), XDP_UMEM_REG, region, "XDP_UMEM_REG", interface); !set) return set;
  struct Size {
    int option;
    std::uint32_t entries;
    const char* name;
  };
  constexpr std::array kSizes = {Size{XDP_TX_RING, kFrames, "XDP_TX_RING"},
                                 Size{XDP_UMEM_COMPLETION_RING, kFrames, "XDP_UMEM_COMPLETION_RING"},
                                 Size{XDP_UMEM_FILL_RING, kFillEntries, "XDP_UMEM_FILL_RING"}};
  for (const Size& size : kSizes) {
    if (SysResult<void> set = set_option(fd.get(), size.option, size.entries, size.name, interface); !set) return set;
  }
  // Less is slower, not wrong.
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendOctets, sizeof kSendOctets) != 0) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &kSendOctets, sizeof kSendOctets);
  }
  xdp_mmap_offsets offsets{};
  socklen_t octets = sizeof offsets;
  if (::getsockopt(fd.get(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &octets) != 0 || octets != sizeof offsets) {
    return tl::unexpected(SysError::last("getsockopt XDP_MMAP_OFFSETS", interface));
  }
  if (SysResult<void> mapped = transmit.map(fd.get(), XDP_PGOFF_TX_RING, offsets.tx); !mapped) return mapped;
  const auto completion_page = static_cast<off_t>(XDP_UMEM_PGOFF_COMPLETION_RING);
  if (SysResult<void> mapped = completed.map(fd.get(), completion_page, offsets.cr); !mapped) return mapped;
  for (std::uint64_t i = kFrames; i > 0; --i) free.push_back((i - 1) * kFrameOctets);
  return bind(interface);
}

SysResult<void> XdpPort::Impl::bind(const std::string& interface) {
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = XDP_COPY;
  address.sxdp_ifindex = ::if_nametoindex(interface.c_str());
  const std::uint32_t queues = transmit_queues(fd.get(), interface);
  for (address.sxdp_queue_id = 0; address.sxdp_queue_id < queues; ++address.sxdp_queue_id) {
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
    if (errno != EBUSY) break;
  }
  return tl::unexpected(SysError::last("bind AF_XDP socket to", interface));
}

void XdpPort::Impl::reap() {
  const std::uint32_t end = completed.producer().load(std::memory_order_acquire);
  std::uint32_t at = completed.consumer().load(std::memory_order_relaxed);
  for (; at != end; ++at) free.push_back(completed.entry(at));
  completed.consumer().store(at, std::memory_order_release);
}

XdpPort::XdpPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
XdpPort::~XdpPort() = default;
XdpPort::XdpPort(XdpPort&&) noexcept = default;
XdpPort& XdpPort::operator=(XdpPort&&) noexcept = default;

SysResult<XdpPort> XdpPort::open(const std::string& interface) {
  auto impl = std::make_unique<Impl>();
  if (SysResult<void> opened = impl->open(interface); !opened) return tl::unexpected(opened.error());
  return XdpPort(std::move(impl));
}

bool XdpPort::has_room(std::size_t frames) {
  if (impl_->free.size() < frames) impl_->reap();
  return impl_->free.size() >= frames;
}

MutableBytes XdpPort::frame() const {
  AMT_ASSERT(!impl_->free.empty());
  return impl_->frames.bytes().subspan(impl_->free.back(), kFrameOctets);
}

void XdpPort::push(std::size_t octets, std::uint32_t tag) {
  AMT_ASSERT(!impl_->free.empty() && octets <= kFrameOctets);
  // As many entries as frames: there is always room.
  const std::uint32_t at = impl_->transmit.producer().load(std::memory_order_relaxed);
  impl_->transmit.entry(at) = {impl_->free.back(), static_cast<std::uint32_t>(octets), 0};
  impl_->tags[at % kFrames] = tag;
  impl_->free.pop_back();
  impl_->transmit.producer().store(at + 1, std::memory_order_release);
}

bool XdpPort::flush(const std::function<void(std::uint32_t tag, int code)>& on_drop) {
  Impl& impl = *impl_;
  const auto drop = [&](std::uint32_t at, int code) {
    if (impl.tags[at % kFrames] != kNoTag) on_drop(impl.tags[at % kFrames], code);
  };
  const std::uint32_t end = impl.transmit.producer().load(std::memory_order_relaxed);
  std::uint32_t at = impl.transmit.consumer().load(std::memory_order_acquire);
  bool working = true;
  for (int stalls = 0; working && at != end && stalls < kStallsMax;) {
    // One call takes a few dozen.
    const int code = ::sendto(impl.fd.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
    const std::uint32_t now_at = impl.transmit.consumer().load(std::memory_order_acquire);
    // EBUSY: the device threw away the last one that was taken.
    if (code == EBUSY && now_at != at) drop(now_at - 1, ENOBUFS);
    stalls = now_at == at ? stalls + 1 : 0;
    at = now_at;
    working = code == 0 || code == EBUSY || code == EAGAIN || code == ENOBUFS;
    for (; !working && at != end; ++at) drop(at, code);
  }
  for (; at != end; ++at) impl.tags[at % kFrames] = kNoTag;
  impl.reap();
  return working;
}

}  // namespace amt
