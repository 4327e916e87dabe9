#include "engine/sap/announcement_listener.hh"

#include <algorithm>

#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

/// How soon an interface that comes is listened on. Announcements come every five minutes or so.
constexpr Duration kCheckInterval = std::chrono::seconds(5);

/// Seconds since 1900, as session descriptions have them (RFC 8866 §5.9).
std::uint64_t ntp_now() {
  constexpr std::uint64_t kNtpAtUnixEpoch = 2'208'988'800;
  const auto since_1970 = std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch());
  return static_cast<std::uint64_t>(since_1970.count()) + kNtpAtUnixEpoch;
}

}  // namespace

AnnouncementListener::AnnouncementListener(EventLoop& loop, AnnouncementListenerOptions options, Random& random)
    : loop_(loop),
      options_(std::move(options)),
      directory_(random, options_.timeout),
      check_timer_(loop, [this] { check_interfaces(); }),
      expiry_timer_(loop, [this] {
        directory_.handle_timeout(monotonic_now());
        set_timer();
      }) {
  if (options_.is_native) check_interfaces();
  if (options_.tunnel) open_tunnels(random);
}

AnnouncementListener::~AnnouncementListener() = default;

void AnnouncementListener::shutdown() {
  check_timer_.set(kNoDeadline);
  expiry_timer_.set(kNoDeadline);
  sockets_.clear();
  for (const std::unique_ptr<Receiver>& one : tunnels_) one->shutdown();
  tunnels_.clear();
}

void AnnouncementListener::check_interfaces() {
  check_timer_.set(monotonic_now() + kCheckInterval);
  const SysResult<std::vector<LinkInfo>> links = list_links();
  if (!links) return log_warn_limited("sap", "announcements: {}", links.error().to_string());
  const auto is_wanted = [&](const LinkInfo& link) {
    if (!link.up) return false;
    if (options_.interfaces.empty()) return !link.loopback;
    return std::ranges::find(options_.interfaces, link.name) != options_.interfaces.end();
  };
  std::erase_if(sockets_, [&](const std::unique_ptr<AnnouncementSocket>& one) {
    return std::ranges::none_of(*links, [&](const LinkInfo& link) {
      return is_wanted(link) && link.index == one->interface_index() && link.name == one->interface();
    });
  });
  std::size_t interfaces = 0;
  for (const LinkInfo& link : *links) {
    if (is_wanted(link) && ++interfaces <= kInterfacesMax) listen_on(link.name, link.index);
  }
  if (interfaces > kInterfacesMax) {
    log_warn_limited("sap", "announcements are heard on {} of {} interfaces; --sap-interface names which",
                     kInterfacesMax, interfaces);
  }
  if (sockets_.empty() && !is_deafness_logged_) {
    log_warn("announcements are heard on no interface for now: none is up that takes part in multicast");
  }
  is_deafness_logged_ = sockets_.empty();
}

void AnnouncementListener::listen_on(const std::string& interface, int index) {
  const auto is_there = [&](const std::unique_ptr<AnnouncementSocket>& one) { return one->interface_index() == index; };
  if (std::ranges::any_of(sockets_, is_there)) return;
  std::size_t joined = 0;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const IpAddress& group : announcement_groups(family)) {
      SysResult<std::unique_ptr<AnnouncementSocket>> socket = AnnouncementSocket::open(
          loop_, interface, index, group,
          [this](Instant now, const IpAddress& from, Bytes datagram) { take(now, from, datagram); });
      if (!socket) {
        // Many an interface has one family alone.
        log_debug("announcements on {}: {}", interface, socket.error().to_string());
        continue;
      }
      sockets_.push_back(std::move(*socket));
      ++joined;
    }
  }
  if (joined != 0) log_info("announcements are heard on {}, {} groups", interface, joined);
}

void AnnouncementListener::open_tunnels(Random& random) {
  // Other scopes end where the administrator of their networks says; ff0e and 224.2.127.254 are global.
  for (const char* const group : {"224.2.127.254", "ff0e::2:7ffe"}) {
    Result<ReceiverOptions, std::string> options = options_.tunnel();
    if (!options) return log_warn("announcements through a tunnel: {}", options.error());
    options->channel = {.source = std::nullopt, .group = *IpAddress::parse(group)};
    options->port = kSapPort;
    options->native = false;
    SysResult<std::unique_ptr<Receiver>> receiver =
        Receiver::create(loop_, std::move(*options), random, [this](Instant now, std::span<const Payload> packets) {
          for (const Payload& packet : packets) take(now, packet.source.address, packet.octets);
        });
    if (!receiver) return log_warn("announcements through a tunnel: {}", receiver.error().to_string());
    tunnels_.push_back(std::move(*receiver));
  }
}

void AnnouncementListener::take(Instant now, const IpAddress& from, Bytes datagram) {
  const std::size_t before = directory_.sessions().size();
  if (const std::optional<SapCounter> refusal = directory_.handle_datagram(now, ntp_now(), from, datagram)) {
    log_warn_limited("sap", "an announcement from {} is refused: {}", from.to_string(),
                     without_reject(counter_name(*refusal)));
  }
  if (directory_.sessions().size() != before) log_debug("{} sessions are announced", directory_.sessions().size());
  set_timer();
}

void AnnouncementListener::set_timer() { expiry_timer_.set(directory_.next_deadline()); }

}  // namespace amt
