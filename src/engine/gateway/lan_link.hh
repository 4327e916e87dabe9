#pragma once
/// The link below a LAN downstream: a real interface, or a TAP device that is a port of a bridge.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "amt/ip_address.hh"
#include "engine/runtime/named_descriptors.hh"
#include "io/tun_device.hh"
#include "ip/address.hh"
#include "ip/split_datagram.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Thin: decisions are LanDownstream's.
class LanLink {
 public:
  LanLink() = default;
  LanLink(const LanLink&) = delete;
  LanLink& operator=(const LanLink&) = delete;
  virtual ~LanLink() = default;

  [[nodiscard]] virtual const std::string& interface() const = 0;
  [[nodiscard]] virtual const char* kind() const = 0;
  /// Whether this host is a router onto that LAN. A bridge port is none: it hands datagrams on as they came.
  [[nodiscard]] virtual bool is_routed() const = 0;

  /// Closes its descriptors.
  virtual SysResult<void> open() = 0;
  virtual void close() = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
  [[nodiscard]] virtual int fd() const = 0;
  /// Of an open link, for another process.
  [[nodiscard]] virtual NamedDescriptor::Kind descriptor_kind() const = 0;

  struct State {
    /// It was deleted. An interface of its name is another one, and no data will come by this one again.
    bool lost = false;
    bool up = false;
    std::uint32_t mtu_octets = 0;
    /// Index of the bridge that it is a port of; 0: none. Behind another bridge there are other hosts.
    int bridge = 0;
    /// The bridge's spanning tree lets nothing through yet.
    bool blocked = false;
    /// Where queries come from, as long as there is one.
    std::optional<IpAddress> ipv4;
    std::optional<IpAddress> ipv6;
    /// This host's addresses on the LAN, with their subnets.
    std::vector<Prefix> addresses;

    /// See base/state_record.hh: of a link that is there.
    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      auto bridge_index = static_cast<std::uint32_t>(self.bridge);
      io(self.up, self.mtu_octets, bridge_index, self.blocked, self.ipv4, self.ipv6, self.addresses);
      if constexpr (Io::kReads) self.bridge = static_cast<int>(bridge_index);
    }

    friend bool operator==(const State&, const State&) = default;
  };
  /// Asks the kernel. Of an open link. Error: it did not say.
  [[nodiscard]] virtual SysResult<State> state() = 0;

  /// IP datagrams, among them IGMP and MLD; valid until the next call.
  virtual SysResult<std::span<const Bytes>> receive() = 0;
  virtual Taken send(std::span<const SplitDatagram> datagrams) = 0;
};

/// A LAN that this host is on. Nothing is opened yet.
[[nodiscard]] std::unique_ptr<LanLink> make_real_lan(const std::string& interface);
/// The same, opened already by another process. Error: the interface is another one by now.
[[nodiscard]] SysResult<std::unique_ptr<LanLink>> adopt_real_lan(const std::string& interface, UniqueFd fd);

/// `device` is a TAP.
[[nodiscard]] std::unique_ptr<LanLink> make_tap_lan(TunDevice device);

}  // namespace amt
