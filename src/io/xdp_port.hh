#pragma once
/// Frames out of one interface by an AF_XDP socket.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/byte_reader.hh"
#include "sys/error.hh"

namespace amt {

/// Copy mode, without an XDP program: any driver does, nothing changes on the interface, and CAP_NET_RAW suffices. The
/// kernel hands each frame straight to the device. On its way it meets no queueing discipline, no netfilter, no IPsec,
/// and packet sockets (tcpdump) on this host do not see it. Not thread-safe.
class XdpPort {
 public:
  /// The most octets that one frame holds.
  static constexpr std::size_t kFrameOctets = 2048;

  /// On the first of the interface's transmit queues that no other process has. EBUSY: none is left.
  static SysResult<XdpPort> open(const std::string& interface);
  ~XdpPort();
  XdpPort(XdpPort&&) noexcept;
  XdpPort& operator=(XdpPort&&) noexcept;

  /// Whether there is memory for this many frames; false: the device still has it.
  [[nodiscard]] bool has_room(std::size_t frames);
  /// Memory for the next frame, the same until `push`. Only while there is room.
  [[nodiscard]] MutableBytes frame() const;
  /// The first `octets` of `frame()` are one; `tag` comes back if it fails.
  void push(std::size_t octets, std::uint32_t tag);
  /// Sends the pushed frames. `on_drop(tag, errno)` for each frame that the device refused. Frames for which the device
  /// has no room now stay, go with the next call, and are not reported again. False: the interface is down or gone, and
  /// this object done with.
  bool flush(const std::function<void(std::uint32_t tag, int code)>& on_drop);

 private:
  struct Impl;
  explicit XdpPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
