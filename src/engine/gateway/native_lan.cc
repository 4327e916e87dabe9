#include "engine/gateway/native_lan.hh"

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/keyed_hash.hh"
#include "engine/gateway/lan_link.hh"
#include "io/multicast_filter.hh"
#include "io/packet_ring.hh"
#include "ip/udp.hh"
#include "membership/departure.hh"
#include "membership/host_reporter.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

// How soon an interface that is gone is missed, and one that is back, or has another address, found.
constexpr Duration kCheckInterval = std::chrono::seconds(2);
constexpr std::size_t kDatagramsPerRead = 256;
constexpr int kReadsPerTurn = 4;

constexpr std::size_t index_of(Family family) { return family == Family::kIpv4 ? 0 : 1; }

}  // namespace

struct NativeLan::Impl {
  Impl(Loop& event_loop, NativeLanOptions given, Random& source, DataHandler handler)
      : loop(event_loop),
        random(source),
        on_data(std::move(handler)),
        downstreams(std::move(given.downstreams)),
        given_capture(std::move(given.capture)),
        link(make_real_lan(given.interface)),
        wanted(0, KeyedHash(source)),
        timer(loop, [this] { on_timer(); }) {}

  void on_timer();
  void check(Instant now);
  [[nodiscard]] std::optional<std::string> downstream_beside() const;
  SysResult<void> open();
  SysResult<PacketRing> open_ring();
  void close();
  void filter_capture();
  void speak_from(Instant now, Family family, const std::optional<IpAddress>& address);
  void log_problem(const std::string& problem);
  void on_membership();
  void on_readable();
  [[nodiscard]] bool is_good(Bytes datagram);
  void send_reports(Instant now);
  [[nodiscard]] Instant next_report() const;

  /// The host that speaks for one family, while this host has an address there.
  struct Host {
    IpAddress address;
    HostReporter reporter;
  };

  Loop& loop;
  Random& random;
  DataHandler on_data;
  std::vector<std::string> downstreams;
  std::optional<GivenDescriptor> given_capture;
  std::unique_ptr<LanLink> link;
  boost::unordered_flat_map<IpAddress, SourceFilter, KeyedHash> wanted;
  std::array<std::optional<Host>, 2> hosts;
  std::optional<PacketRing> ring;
  std::vector<CapturedDatagram> captured;
  std::vector<Bytes> good;
  Statistics statistics;
  std::uint64_t bad = 0;
  std::string problem_logged;
  Instant next_check = kNoDeadline;
  Timer timer;
  // Last: they end before the members that their handlers use.
  std::optional<ReadWatch> membership_watch;
  std::optional<ReadWatch> data_watch;
};

SysResult<void> NativeLan::Impl::open() {
  if (SysResult<void> opened = link->open(); !opened) return opened;
  SysResult<PacketRing> opened = open_ring();
  if (!opened) {
    link->close();
    return Unexpected<SysError>(opened.error());
  }
  ring.emplace(std::move(*opened));
  filter_capture();
  membership_watch.emplace(loop, link->fd(), [this] { on_membership(); });
  data_watch.emplace(loop, ring->fd(), [this] { on_readable(); });
  return {};
}

SysResult<PacketRing> NativeLan::Impl::open_ring() {
  if (std::optional<GivenDescriptor> given = std::exchange(given_capture, std::nullopt)) {
    const std::array<std::uint64_t, 6>& numbers = given->what.numbers;
    SysResult<PacketRing> adopted =
        PacketRing::adopt(std::move(given->descriptor), link->interface(), {numbers[0], numbers[1], numbers[2]});
    if (adopted) return adopted;
    log_warn("{}", adopted.error().to_string());
  }
  return PacketRing::open(link->interface(), {});
}

/// The kernel does the dropping while nothing is wanted.
void NativeLan::Impl::filter_capture() {
  const SysResult<void> set =
      wanted.empty() ? attach_drop_all(ring->fd()) : attach_multicast_filter(ring->fd(), link->interface());
  if (!set) log_warn("{}", set.error().to_string());
}

void NativeLan::Impl::close() {
  hosts = {};
  statistics.up = false;
  statistics.drops += ring ? ring->statistics().kernel_drops : 0;
  // The watches first: they must let go of the descriptors before these are closed.
  membership_watch.reset();
  data_watch.reset();
  ring.reset();
  link->close();
}

void NativeLan::Impl::log_problem(const std::string& problem) {
  if (problem == problem_logged) return;
  log_warn("no native reception on {} for now: {}", link->interface(), problem);
  problem_logged = problem;
}

void NativeLan::Impl::check(Instant now) {
  next_check = now + kCheckInterval;
  if (const std::optional<std::string> downstream = downstream_beside()) {
    log_problem("it is the same LAN as " + *downstream);
    if (link->is_open()) close();
    return;
  }
  if (!link->is_open()) {
    if (const SysResult<void> opened = open(); !opened) {
      // Here the LAN is a source of data; elsewhere it is opened as a downstream.
      const bool other_kind = opened.error().code == EPROTOTYPE;
      return log_problem(other_kind ? "it is no Ethernet interface" : opened.error().to_string());
    }
  }
  const SysResult<LanLink::State> state = link->state();
  if (!state) return log_problem(state.error().to_string());
  if (state->lost) {
    log_problem("it is gone");
    return close();
  }
  speak_from(now, Family::kIpv4, state->up ? state->ipv4 : std::nullopt);
  speak_from(now, Family::kIpv6, state->up ? state->ipv6 : std::nullopt);
  statistics.up = hosts[0] || hosts[1];
  if (!statistics.up) return log_problem("it is down, or has no address");
  if (!problem_logged.empty()) log_info("native reception on {} is possible again", link->interface());
  problem_logged.clear();
}

std::optional<std::string> NativeLan::Impl::downstream_beside() const {
  const SysResult<LinkInfo> own = find_link(link->interface());
  if (!own) return std::nullopt;
  for (const std::string& name : downstreams) {
    const SysResult<LinkInfo> downstream = find_link(name);
    if (!downstream) continue;
    const bool is_port = downstream->master != 0 && downstream->master == own->master;
    if (downstream->index == own->index || downstream->master == own->index || is_port) return name;
  }
  return std::nullopt;
}

void NativeLan::Impl::speak_from(Instant now, Family family, const std::optional<IpAddress>& address) {
  std::optional<Host>& host = hosts[index_of(family)];
  if (host && address == host->address) return;
  host.reset();
  if (!address) return;
  host.emplace(Host{*address, HostReporter(*address, random)});
  for (const auto& [group, filter] : wanted) {
    if (group.family() == family) host->reporter.set_filter(now, group, filter);
  }
}

void NativeLan::Impl::on_timer() {
  const Instant now = monotonic_now();
  if (next_check <= now) check(now);
  send_reports(now);
}

void NativeLan::Impl::on_membership() {
  const SysResult<std::span<const Bytes>> datagrams = link->receive();
  if (!datagrams) return;
  const Instant now = monotonic_now();
  for (const Bytes datagram : *datagrams) {
    const std::optional<HeardQuery> heard = hear_query(datagram);
    if (heard && hosts[index_of(heard->family)])
      hosts[index_of(heard->family)]->reporter.handle_query(now, heard->query);
  }
  send_reports(now);
}

void NativeLan::Impl::send_reports(Instant now) {
  std::vector<std::vector<std::byte>> reports;
  for (std::optional<Host>& host : hosts) {
    if (host) host->reporter.handle_timeout(now, reports);
  }
  for (const std::vector<std::byte>& report : reports) {
    const SplitDatagram datagram{.head = report, .tail = {}};
    link->send({&datagram, 1});
  }
  timer.set(std::min(next_check, next_report()));
}

Instant NativeLan::Impl::next_report() const {
  Instant next = kNoDeadline;
  for (const std::optional<Host>& host : hosts) {
    if (host) next = std::min(next, host->reporter.next_deadline());
  }
  return next;
}

/// The kernel did not check the transport checksum, or did not report it.
bool NativeLan::Impl::is_good(Bytes datagram) {
  if (classify_departure(datagram) != Departure::kData) return false;
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  const bool good_checksum = view && (view->is_fragment() || transport_checksum_ok(*view));
  bad += good_checksum ? 0 : 1;
  return good_checksum;
}

void NativeLan::Impl::on_readable() {
  for (int turn = 0; turn < kReadsPerTurn && ring; ++turn) {
    const Instant now = monotonic_now();
    captured.clear();
    good.clear();
    const std::size_t count = ring->receive(captured, kDatagramsPerRead);
    for (const CapturedDatagram& datagram : captured) {
      const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram.bytes);
      if (!addresses) continue;
      const auto group = wanted.find(addresses->destination);
      if (group == wanted.end() || !group->second.accepts(addresses->source)) continue;
      if (is_good(datagram.bytes)) good.push_back(datagram.bytes);
    }
    if (!good.empty()) on_data(now, good);
    ring->release();
    if (count == 0) return;
  }
}

NativeLan::NativeLan(Loop& loop, NativeLanOptions options, Random& random, DataHandler on_data)
    : impl_(std::make_unique<Impl>(loop, std::move(options), random, std::move(on_data))) {}
NativeLan::~NativeLan() = default;
NativeLan::NativeLan(NativeLan&&) noexcept = default;
NativeLan& NativeLan::operator=(NativeLan&&) noexcept = default;

void NativeLan::set_membership(const IpAddress& group, const SourceFilter& filter) {
  const Instant now = monotonic_now();
  const bool was_empty = impl_->wanted.empty();
  if (filter.is_nothing()) {
    impl_->wanted.erase(group);
  } else {
    impl_->wanted[group] = filter;
  }
  if (impl_->ring && was_empty != impl_->wanted.empty()) impl_->filter_capture();
  if (impl_->next_check == kNoDeadline) impl_->check(now);
  if (std::optional<Impl::Host>& host = impl_->hosts[index_of(group.family())]) {
    host->reporter.set_filter(now, group, filter);
  }
  impl_->send_reports(now);
}

void NativeLan::shutdown() {
  const Instant now = monotonic_now();
  for (const auto& [group, filter] : impl_->wanted) {
    if (std::optional<Impl::Host>& host = impl_->hosts[index_of(group.family())]) {
      host->reporter.set_filter(now, group, {});
    }
  }
  impl_->wanted.clear();
  impl_->send_reports(now);
  impl_->timer.set(kNoDeadline);
  if (impl_->link->is_open()) impl_->close();
}

void NativeLan::append_descriptors(std::vector<LentDescriptor>& out) const {
  if (!impl_->ring) return;
  const PacketRingPlace place = impl_->ring->place();
  out.push_back({{.kind = NamedDescriptor::Kind::kCapture,
                  .name = interface(),
                  .numbers = {place.slots, place.slot_octets, place.next}},
                 impl_->ring->fd()});
}

const std::string& NativeLan::interface() const { return impl_->link->interface(); }

NativeLan::Statistics NativeLan::statistics() const {
  Statistics statistics = impl_->statistics;
  statistics.groups = impl_->wanted.size();
  statistics.drops += impl_->bad + (impl_->ring ? impl_->ring->statistics().kernel_drops : 0);
  return statistics;
}

}  // namespace amt
