#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>

#include "cli/announced_sessions.hh"
#include "cli/confinement.hh"
#include "cli/failure.hh"
#include "cli/service_watchdog.hh"
#include "cli/subcommands.hh"
#include "engine/runtime/log_writer.hh"
#include "engine/sap/announcement_listener.hh"
#include "io/multicast_sender.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/os_random.hh"
#include "sys/service_manager.hh"

namespace amt {
namespace {

/// What is announced to one group on one interface.
struct Place {
  MulticastSender sender;
  AnnouncementSchedule schedule;
};

/// One run of `amt announce`.
class AnnounceSession {
 public:
  AnnounceSession(const AnnounceConfig& config, const CommonConfig& common) : config_(config), common_(common) {}
  int run(const AnnouncedSessions& sessions);

 private:
  SysResult<void> open(const AnnouncedSessions& sessions, const std::optional<std::string>& interface);
  void announce();
  void take_back();
  int open_failed(const SysError& error) const;

  const AnnounceConfig& config_;
  const CommonConfig& common_;
  std::optional<LogWriter> log_writer_;
  OsRandom random_;
  EventLoop loop_;
  std::vector<std::unique_ptr<Place>> places_;
  std::optional<AnnouncementListener> listener_;
  Timer timer_{loop_, [this] { announce(); }};
};

/// The group to which the announcements of a session go.
IpAddress target(const AnnounceConfig& config, const IpAddress& group) {
  const bool is_meant = config.group && config.group->family() == group.family();
  return is_meant ? *config.group : announcement_group(group);
}

/// Seconds since 1970: grows from one start to the next.
std::uint64_t version_now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch()).count());
}

SysResult<void> AnnounceSession::open(const AnnouncedSessions& sessions, const std::optional<std::string>& interface) {
  std::vector<IpAddress> groups;
  for (const AnnouncedSessions::Session& one : sessions.sessions()) {
    const IpAddress group = target(config_, one.group);
    if (std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  for (const IpAddress& group : groups) {
    const bool has_source = config_.source && config_.source->family() == group.family();
    SysResult<MulticastSender> sender = MulticastSender::open({.group = {group, kSapPort},
                                                               .interface = interface,
                                                               .source = has_source ? config_.source : std::nullopt,
                                                               .ttl = config_.ttl});
    if (!sender) return Unexpected<SysError>(sender.error());
    std::vector<Announcement> announcements;
    for (const AnnouncedSessions::Session& one : sessions.sessions()) {
      if (target(config_, one.group) != group) continue;
      announcements.push_back(make_announcement(one, group, sender->local().address, version_now()));
    }
    log_info("{} sessions are announced to {} from {}{}", announcements.size(), group.to_string(),
             sender->local().address.to_string(), interface ? " on " + *interface : "");
    places_.push_back(std::make_unique<Place>(
        Place{std::move(*sender), AnnouncementSchedule(std::move(announcements), random_, monotonic_now())}));
  }
  return {};
}

int AnnounceSession::open_failed(const SysError& error) const {
  if (error.code == ENODEV) return fail_usage("announce", no_such_interface("--interface", error.object));
  if (error.code == EADDRNOTAVAIL && config_.source && error.call == "bind") {
    return fail_usage("announce", "--source " + config_.source->to_string() + ": not an address of this host");
  }
  return fail(error.to_string() + (config_.interfaces.empty() ? " (name the interface to announce on: --interface IF)"
                                                              : " (is it up, and has it an address of that family?)"));
}

void AnnounceSession::announce() {
  Instant next = kNoDeadline;
  for (const std::unique_ptr<Place>& place : places_) {
    // RFC 2974 §3.1: what others announce counts, too.
    const std::size_t heard = listener_ ? listener_->directory().sessions().size() : 0;
    while (const Announcement* const due = place->schedule.take_due(monotonic_now(), heard)) {
      if (const SysResult<void> sent = place->sender.send(due->packet); !sent) {
        log_warn_limited("announce", "{}", sent.error().to_string());
      }
    }
    next = std::min(next, place->schedule.next_deadline());
  }
  timer_.set(next);
}

void AnnounceSession::take_back() {
  for (const std::unique_ptr<Place>& place : places_) {
    for (const Announcement& one : place->schedule.announcements()) {
      if (const SysResult<void> sent = place->sender.send(one.deletion); !sent) {
        return log_warn("the sessions are not taken back: {}", sent.error().to_string());
      }
    }
  }
}

int AnnounceSession::run(const AnnouncedSessions& sessions) {
  std::vector<std::optional<std::string>> interfaces(config_.interfaces.begin(), config_.interfaces.end());
  if (interfaces.empty()) interfaces.emplace_back();
  for (const std::optional<std::string>& interface : interfaces) {
    if (const SysResult<void> opened = open(sessions, interface); !opened) return open_failed(opened.error());
  }
  if (const auto confined = confine(common_, {}); !confined) return fail(confined.error());
  log_writer_.emplace();
  listener_.emplace(loop_, AnnouncementListenerOptions{.interfaces = config_.interfaces}, random_);
  loop_.on_stop_signal([this](int) {
    log_info("stopping");
    notify_stopping();
    timer_.set(kNoDeadline);
    take_back();
    listener_->shutdown();
    loop_.stop();
  });
  const ServiceWatchdog watchdog(loop_);
  log_info("announce ready: {} sessions", sessions.sessions().size());
  notify_ready("announcing");
  announce();
  loop_.run();
  return 0;
}

}  // namespace

int run_announce(const AnnounceConfig& config, const CommonConfig& common) {
  const Result<AnnouncedSessions, std::string> sessions = AnnouncedSessions::read(config.file);
  if (!sessions) return fail_usage("announce", config.file + ": " + sessions.error());
  if (common.check_config) return config_is_good("announce");
  return AnnounceSession(config, common).run(*sessions);
}

}  // namespace amt
