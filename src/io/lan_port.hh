#pragma once
/// A multicast router's hold of a real LAN: hears IGMP and MLD, sends queries and data.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "ip/split_datagram.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// A packet socket on one interface that looks like Ethernet. It receives datagrams of others (all multicast, because
/// reports of older hosts go to any group), never those that this host sends. Needs CAP_NET_RAW. Not thread-safe. An
/// interface that goes down and comes up is still the same. One that is deleted never comes back: open a new port.
class LanPort {
 public:
  static SysResult<LanPort> open(const std::string& interface);
  /// One that `open` of another process made, and which that one uses no more. Error ENODEV: it is on another interface
  /// than the one that has this name by now.
  static SysResult<LanPort> adopt(UniqueFd fd, const std::string& interface);
  ~LanPort();
  LanPort(LanPort&&) noexcept;
  LanPort& operator=(LanPort&&) noexcept;

  [[nodiscard]] int fd() const;
  /// Of the interface it was opened on.
  [[nodiscard]] int index() const;

  /// IP datagrams with IGMP or MLD, perhaps with link padding behind them; valid until the next call. At most 32;
  /// empty: nothing there.
  [[nodiscard]] std::span<const Bytes> receive();

  /// Sends each to the Ethernet address of its group. Datagrams that were not taken were dropped (queue full, larger
  /// than the MTU, interface down) and counted.
  Taken send(std::span<const SplitDatagram> datagrams);
  [[nodiscard]] std::uint64_t send_drops() const;

 private:
  struct Impl;
  explicit LanPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
