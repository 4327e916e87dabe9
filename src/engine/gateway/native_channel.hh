#pragma once
/// Receiving one channel natively without privileges: a UDP socket on a real interface.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "base/byte_reader.hh"
#include "engine/runtime/loop.hh"

namespace amt {

struct NativeChannelOptions {
  Channel channel;
  std::uint16_t port = 0;
  /// None: by the route (`native_interface`), and after it when it changes.
  std::optional<std::string> interface;
};

/// Joins and leaves; while joined it checks that the interface is there, and still the right one. A failure is logged
/// once and tried again. Lives on its loop's thread.
class NativeChannel {
 public:
  struct Packet {
    Endpoint source;
    Bytes payload;
  };
  /// Datagrams to the group and port, from any source that a program of this host has joined; valid during the call.
  using PacketHandler = std::function<void(Instant now, std::span<const Packet> packets)>;

  NativeChannel(Loop& loop, NativeChannelOptions options, PacketHandler on_packets);
  ~NativeChannel();

  void join();
  void leave();
  /// Where it is joined.
  [[nodiscard]] std::optional<std::string> interface() const;
  [[nodiscard]] std::uint64_t receive_drops() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
