#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/confinement.hh"
#include "cli/discover_lookup.hh"
#include "cli/discover_report.hh"
#include "cli/failure.hh"
#include "cli/subcommands.hh"
#include "engine/gateway/relay_survey.hh"
#include "library/way_to_relay.hh"
#include "sys/clock.hh"
#include "sys/log.hh"
#include "sys/netlink.hh"
#include "sys/os_random.hh"

namespace amt {
namespace {

/// RFC 8777 §4.2.2 and MX custom: one value for all lets gateways choose by distance and chance.
constexpr std::uint8_t kZonePrecedence = 10;
constexpr Duration kSignaturesWait = std::chrono::seconds(5);
/// The log says which answers are missing.
constexpr Duration kProgressInterval = std::chrono::seconds(2);

/// The records for --zone, as a name server that knows AMTRELAY takes them, and as any other does.
int print_zone(const DiscoverConfig& config) {
  const std::string name = DomainName::reverse_of(*config.source).to_string();
  std::string known;
  std::string unknown;
  for (const RelayHost& relay : config.zone) {
    // The D bit "MUST be set to zero when no information is available from the AMT relay operator" (D-4.2.2-c).
    AmtRelay record{kZonePrecedence, false, {}};
    if (const auto* address = std::get_if<IpAddress>(&relay.host)) {
      record.relay = *address;
    } else {
      const std::optional<DomainName> host = DomainName::parse(std::get<std::string>(relay.host));
      if (!host) return fail_usage("discover", "--zone " + std::get<std::string>(relay.host) + ": no domain name");
      record.relay = *host;
    }
    known += fmt::format("{} IN AMTRELAY {}\n", name, record.to_string());
    unknown += fmt::format("{} IN TYPE{} {}\n", name, kAmtRelayType, record.to_unknown_type_string());
  }
  fmt::print("; for a name server that knows AMTRELAY (RFC 8777)\n{}; for any other (RFC 3597)\n{}", known, unknown);
  return std::fflush(stdout) == 0 ? 0 : fail("standard output cannot be written");
}

/// One run of `amt discover`: look up, then ask, then report.
class DiscoverSession {
 public:
  explicit DiscoverSession(const DiscoverConfig& config)
      : config_(config), survey_(loop_, random_), progress_timer_(loop_, [this] { on_progress(); }) {
    report_.source = config.source;
  }

  int run();

 private:
  Result<void, std::string> begin_lookup();
  void on_services(const ServiceSearch& search);
  void on_driad(const DriadResult& driad);
  void add_found();
  void ask_all();
  void on_result(std::size_t relay, const ProbeResult& result);
  void begin_progress();
  void on_progress();
  [[nodiscard]] std::string awaited() const;
  [[nodiscard]] int print() const;

  const DiscoverConfig& config_;
  OsRandom random_;
  EventLoop loop_;
  DiscoverReport report_;
  RelaySurvey survey_;
  Instant started_ = monotonic_now();
  Timer progress_timer_;
  std::size_t unanswered_ = 0;
  std::vector<bool> answered_;
  bool looks_up_ = false;
  bool done_ = false;
  // Last: the objects that it calls back end after it.
  std::optional<DiscoverLookup> lookup_;
};

Result<void, std::string> DiscoverSession::begin_lookup() {
  DnsResolverOptions options = resolver_options(config_.dns);
  // The report also says whether the records are signed.
  options.signatures_wait = kSignaturesWait;
  Result<std::unique_ptr<DnsClient>, std::string> dns = DnsClient::create(loop_, options);
  if (!dns) return Unexpected<std::string>(dns.error());
  looks_up_ = true;
  lookup_.emplace(loop_, std::move(*dns), random_, config_.source,
                  DiscoverLookup::Handlers{[this](const DriadResult& driad) { on_driad(driad); },
                                           [this](const ServiceSearch& search) { on_services(search); }});
  lookup_->start(service_domains(config_.dns));
  return {};
}

void DiscoverSession::on_services(const ServiceSearch& search) {
  report_.services = ServicesFound{search.domains(), search.relays(), search.options(), search.problem()};
  add_found();
}

void DiscoverSession::on_driad(const DriadResult& driad) {
  report_.driad = driad;
  add_found();
}

/// Once both look-ups are over: all that they found, the best first.
void DiscoverSession::add_found() {
  if (!looks_up_ || !report_.services || (config_.source && !report_.driad)) return;
  looks_up_ = false;
  std::vector<std::pair<RelayOption, std::string>> options;
  for (RelayOption option : report_.services->options) {
    option.destination.source = source_address_towards(option.destination.address);
    options.emplace_back(option, report_.services->instance_at(option));
  }
  for (const FoundRelay& relay : report_.driad ? report_.driad->relays : std::vector<FoundRelay>()) {
    const auto* name = std::get_if<DomainName>(&relay.record.relay);
    for (RelayOption option : relay.options) {
      option.destination.source = source_address_towards(option.destination.address);
      options.emplace_back(option, name != nullptr ? name->to_string() : std::string());
    }
  }
  std::ranges::sort(options, [order = default_discovery_order()](const auto& a, const auto& b) {
    return compare_options(a.first, b.first, order) < 0;
  });
  for (const auto& [option, name] : options) {
    AskedRelay relay;
    relay.target = {option.destination.address, option.port != 0 ? option.port : config_.relay_port};
    relay.origin = option.origin;
    relay.precedence = option.precedence;
    relay.discovery_optional = option.discovery_optional;
    relay.via_name = name;
    report_.relays.push_back(std::move(relay));
  }
  ask_all();
}

void DiscoverSession::ask_all() {
  for (const Endpoint& endpoint : config_.discovery) {
    AskedRelay relay;
    relay.target = endpoint;
    relay.given = true;
    report_.relays.push_back(std::move(relay));
  }
  unanswered_ = report_.relays.size();
  answered_.assign(report_.relays.size(), false);
  for (std::size_t i = 0; i < report_.relays.size(); ++i) {
    RelayProbeOptions options;
    options.target = report_.relays[i].target;
    options.request_directly = report_.relays[i].discovery_optional;
    // A relay of DNS-SD has a port of its own.
    options.relay_port = report_.relays[i].given ? config_.relay_port : options.target.port;
    options.timeout = config_.timeout;
    survey_.ask(options, [this, i](const ProbeResult& result) { on_result(i, result); });
  }
  if (unanswered_ == 0) {
    done_ = true;
    loop_.stop();
  }
}

/// Relays without an answer yet, for a person who waits.
std::string DiscoverSession::awaited() const {
  std::string text;
  const auto add = [&text](const std::string& one) { text += (text.empty() ? "" : ", ") + one; };
  if (looks_up_ && config_.source && !report_.driad) {
    add("the DNS (AMTRELAY of " + DomainName::reverse_of(*config_.source).to_string() + ")");
  }
  if (looks_up_ && !report_.services) add("the DNS (_amt._udp in this network's domains)");
  for (std::size_t i = 0; i < report_.relays.size(); ++i) {
    if (!answered_[i]) add("relay " + report_.relays[i].target.to_string());
  }
  return text;
}

void DiscoverSession::begin_progress() {
  // A person reads it at once; a program that reads JSON does not want it.
  if (!config_.json) {
    fmt::print("asking {}\n", awaited());
    std::fflush(stdout);
  }
  progress_timer_.set(started_ + kProgressInterval);
}

void DiscoverSession::on_progress() {
  const Instant now = monotonic_now();
  log_info("waiting for {} since {} s", awaited(),
           std::chrono::duration_cast<std::chrono::seconds>(now - started_).count());
  progress_timer_.set(now + kProgressInterval);
}

void DiscoverSession::on_result(std::size_t relay, const ProbeResult& result) {
  report_.relays[relay].result = result;
  answered_[relay] = true;
  if (--unanswered_ != 0) return;
  done_ = true;
  loop_.stop();
}

int DiscoverSession::print() const {
  const std::string text = config_.json ? report_.json() + "\n" : report_.text();
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0)
    return fail("standard output cannot be written");
  return report_.chosen() != nullptr ? 0 : 1;
}

int DiscoverSession::run() {
  loop_.on_stop_signal([this](int) { loop_.stop(); });
  if (config_.source || !config_.dns.service_domains.empty()) {
    if (const Result<void, std::string> begun = begin_lookup(); !begun) return fail(begun.error());
  } else {
    ask_all();
  }
  if (!done_) {
    begin_progress();
    loop_.run();
  }
  // Stopped by a signal: nothing half-known is printed.
  return done_ ? print() : 0;
}

}  // namespace

int run_discover(const DiscoverConfig& config, const CommonConfig& common) {
  SandboxOptions sandbox;
  if (config.dns.trust_anchor) sandbox.files.readable = {directory_of(*config.dns.trust_anchor)};
  if (const auto confined = confine(common, std::move(sandbox)); !confined) return fail(confined.error());
  return config.zone.empty() ? DiscoverSession(config).run() : print_zone(config);
}

}  // namespace amt
