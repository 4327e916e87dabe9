#include "engine/gateway/native_channel.hh"

#include <vector>

#include "engine/gateway/native_interface.hh"
#include "io/native_membership.hh"
#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

// How soon another way to the source, or an interface that is back, is noticed. Meanwhile the tunnel serves.
constexpr Duration kCheckInterval = std::chrono::seconds(2);
constexpr int kReceivesPerTurn = 4;
constexpr std::size_t kReceiveSlots = 32;

}  // namespace

struct NativeChannel::Impl {
  Impl(Loop& event_loop, NativeChannelOptions given, PacketHandler handler)
      : loop(event_loop),
        options(std::move(given)),
        on_packets(std::move(handler)),
        check_timer(loop, [this] { check(); }) {}

  /// One join on one interface. It needs one descriptor, so there is no budget for it.
  struct Place {
    Place(std::string name, int interface_index, UdpSocket opened)
        : interface(std::move(name)),
          index(interface_index),
          socket(std::move(opened)),
          membership(open_membership_kernel(interface_index), budget) {}

    std::string interface;
    int index = 0;
    UdpSocket socket;
    DescriptorBudget budget;
    NativeMembership membership;
    // Last: it ends before the members that its handler uses.
    std::optional<ReadWatch> watch = {};
  };

  SysResult<std::unique_ptr<Place>> open(const std::string& interface) const;
  void check();
  void close();
  void log_problem(std::string problem);
  void on_readable();

  Loop& loop;
  NativeChannelOptions options;
  PacketHandler on_packets;
  ReceiveBatch received{kReceiveSlots};
  std::vector<Packet> packets;
  std::uint64_t closed_drops = 0;
  std::string problem_logged;
  Timer check_timer;
  std::unique_ptr<Place> place;
};

SysResult<std::unique_ptr<NativeChannel::Impl::Place>> NativeChannel::Impl::open(const std::string& interface) const {
  const SysResult<LinkInfo> link = find_link(interface);
  if (!link) return Unexpected<SysError>(link.error());
  // On this interface alone: the same may arrive on another, even from a gateway of this host.
  SysResult<UdpSocket> socket = UdpSocket::bind(
      {options.channel.group, options.port}, {.receive_offload = true, .reuse_address = true, .interface = interface});
  if (!socket) return Unexpected<SysError>(socket.error());
  auto opened = std::make_unique<Place>(interface, link->index, std::move(*socket));
  opened->membership.set(options.channel.group, filter_of(options.channel));
  opened->membership.work([] { return false; });
  if (const std::optional<SysError> failure = opened->membership.take_failure()) return Unexpected<SysError>(*failure);
  return opened;
}

void NativeChannel::Impl::check() {
  check_timer.set(monotonic_now() + kCheckInterval);
  LocalInterfaces local;
  const std::optional<std::string> interface = native_interface(options.interface, options.channel, local);
  if (place && (interface != place->interface || is_link_gone(place->interface, place->index))) close();
  if (place) return;
  if (!interface) return log_problem("no route to " + options.channel.to_string() + " says on which interface");
  SysResult<std::unique_ptr<Place>> opened = open(*interface);
  if (!opened) return log_problem(opened.error().to_string());
  place = std::move(*opened);
  problem_logged.clear();
  place->watch.emplace(loop, place->socket.fd(), [this] { on_readable(); });
  log_info("{} is joined natively on {}", options.channel.to_string(), *interface);
}

void NativeChannel::Impl::close() {
  if (!place) return;
  closed_drops += place->socket.receive_drops();
  place.reset();
}

void NativeChannel::Impl::log_problem(std::string problem) {
  if (problem == problem_logged) return;
  log_warn("no native reception of {} for now, the tunnel alone: {}", options.channel.to_string(), problem);
  problem_logged = std::move(problem);
}

void NativeChannel::Impl::on_readable() {
  for (int turn = 0; turn < kReceivesPerTurn && place; ++turn) {
    const Instant now = monotonic_now();
    const SysResult<std::size_t> count = place->socket.receive(received);
    if (!count) {
      log_warn("{}", count.error().to_string());
      break;
    }
    if (*count == 0) break;
    packets.clear();
    for (const Received& message : received.received()) {
      message.for_each_datagram([&](MutableBytes payload) { packets.push_back({message.from, payload}); });
    }
    on_packets(now, packets);
  }
}

NativeChannel::NativeChannel(Loop& loop, NativeChannelOptions options, PacketHandler on_packets)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(on_packets))) {}
NativeChannel::~NativeChannel() = default;

void NativeChannel::join() { impl_->check(); }
void NativeChannel::leave() {
  impl_->check_timer.set(kNoDeadline);
  impl_->close();
}

std::optional<std::string> NativeChannel::interface() const {
  return impl_->place ? std::optional(impl_->place->interface) : std::nullopt;
}
std::uint64_t NativeChannel::receive_drops() const {
  return impl_->closed_drops + (impl_->place ? impl_->place->socket.receive_drops() : 0);
}

}  // namespace amt
