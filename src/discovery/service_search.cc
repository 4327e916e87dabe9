#include "discovery/service_search.hh"

#include <algorithm>
#include <cmath>

#include "base/backoff.hh"
#include "ip/address.hh"

namespace amt {
namespace {

// D-3.5-a: "1 s initial, 120 s maximum".
constexpr Duration kRetryInitial = std::chrono::seconds(1);
constexpr Duration kRetryMax = std::chrono::seconds(120);
constexpr Duration kAdviceRetry = std::chrono::minutes(5);

/// RFC 2782: "Larger weights SHOULD be given a proportionately higher probability of being selected", those of weight 0
/// "a very small chance". The smallest of such exponential draws belongs to each in proportion to its weight.
double draw(Random& random, std::uint16_t weight) {
  constexpr double kAlmostNone = 0.01;
  constexpr int kDoubleBits = 53;
  const double uniform = std::ldexp(static_cast<double>((random.u64() >> 11U) + 1), -kDoubleBits);
  return -std::log(uniform) / (weight == 0 ? kAlmostNone : weight);
}

}  // namespace

ServiceAnswer service_answer(const DnsAnswer& answer) {
  return {.records = {answer.records.begin(), answer.records.end()},
          .ttl_seconds = answer.ttl_seconds,
          .denied = answer.denied,
          .problem = answer.problem,
          .dnssec = std::string(to_string(answer.dnssec))};
}

void ServiceSearch::start(Instant now, const ServiceDomains& domains) {
  ++round_;
  asked_.clear();
  polled_ = 0;
  domains_.clear();
  relays_.clear();
  asking_ = true;
  first_results_due_ = failed_ = false;
  lifetime_ = kLifetimeMax;
  started_at_ = now;
  for (const DomainName& name : domains.named) add_domain(name);
  for (const DomainName& name : domains.advisers) {
    if (!is_multicast_dns(name)) ask(browsing_domains_of(name), DnsType::kPtr);
  }
  if (asked_.empty()) end_round(now);
}

void ServiceSearch::forget() {
  options_.clear();
  problem_.clear();
  known_before_ = false;
  failures_ = 0;
}

void ServiceSearch::ask(const std::optional<DomainName>& name, DnsType type) {
  if (!name || asked_.size() >= kQuestionsMax) return;
  ServiceQuestion question{*name, type, round_};
  const auto same = [&](const Asked& asked) { return asked.question == question; };
  if (std::ranges::none_of(asked_, same)) asked_.push_back({std::move(question)});
}

void ServiceSearch::add_domain(const DomainName& name) {
  const bool known = std::ranges::any_of(domains_, [&](const ServiceDomain& domain) { return domain.name == name; });
  if (known || domains_.size() >= kDomainsMax) return;
  ServiceDomain& domain = domains_.emplace_back();
  domain.name = name;
  if (is_multicast_dns(name)) {
    domain.problem = "not asked: it is multicast DNS's alone";
    return;
  }
  ask(amt_service_of(name), DnsType::kPtr);
}

std::optional<ServiceQuestion> ServiceSearch::poll_question() {
  if (!asking_ || polled_ >= asked_.size()) return std::nullopt;
  return asked_[polled_++].question;
}

void ServiceSearch::handle_answer(Instant now, const ServiceQuestion& question, const ServiceAnswer& answer) {
  const auto asked =
      std::ranges::find_if(asked_, [&](const Asked& one) { return !one.answered && one.question == question; });
  if (!asking_ || asked == asked_.end()) return;
  asked->answered = true;
  if (answer.records.empty() && !answer.denied) {
    handle_failure(question);
  } else {
    const Duration told = std::chrono::seconds(answer.ttl_seconds);
    lifetime_ = std::min(lifetime_, answer.denied ? std::max(told, kDenialMin) : told);
  }
  if (question.type == DnsType::kSrv) {
    handle_locations(question.name, answer);
  } else if (question.type != DnsType::kPtr) {
    handle_addresses(question.name, answer);
  } else {
    const auto domain = domain_of(question);
    if (domain != domains_.end()) {
      handle_instances(*domain, answer);
    } else {
      for (const Bytes rdata : answer.records) {
        if (const std::optional<DomainName> name = DomainName::from_wire(rdata)) add_domain(*name);
      }
    }
  }
  const auto is_answered = [](const Asked& one) { return one.answered; };
  if (std::ranges::all_of(asked_, is_answered)) {
    end_round(now);
  } else if (first_results_due_ && !known_before_) {
    options_ = found();
  }
}

void ServiceSearch::handle_failure(const ServiceQuestion& question) {
  const bool advises = question.type == DnsType::kPtr && domain_of(question) == domains_.end();
  // Many a resolver knows nothing of a private subnet's reverse zone: no reason to ask for the rest over and over.
  if (advises) lifetime_ = std::min(lifetime_, kAdviceRetry);
  if (!advises) failed_ = true;
}

std::vector<ServiceDomain>::iterator ServiceSearch::domain_of(const ServiceQuestion& question) {
  return std::ranges::find_if(
      domains_, [&](const ServiceDomain& domain) { return amt_service_of(domain.name) == question.name; });
}

void ServiceSearch::handle_instances(ServiceDomain& domain, const ServiceAnswer& answer) {
  domain.ttl_seconds = answer.ttl_seconds;
  domain.dnssec = answer.dnssec;
  domain.problem = answer.problem;
  domain.denied = answer.denied;
  for (const Bytes rdata : answer.records) {
    const std::optional<DomainName> name = DomainName::from_wire(rdata);
    if (!name || !is_amt_instance(*name)) continue;
    ++domain.instances;
    add_instance(*name);
  }
  if (!answer.records.empty() && domain.instances == 0) domain.problem = "no record that could be used";
}

void ServiceSearch::add_instance(const DomainName& name) {
  const bool known = std::ranges::any_of(relays_, [&](const ServiceRelay& relay) { return relay.instance == name; });
  if (known || relays_.size() >= kRelaysMax) return;
  relays_.emplace_back().instance = name;
  ask(name, DnsType::kSrv);
}

void ServiceSearch::handle_locations(const DomainName& instance, const ServiceAnswer& answer) {
  const auto relay = std::ranges::find_if(relays_, [&](const ServiceRelay& one) { return one.instance == instance; });
  if (relay == relays_.end()) return;
  relay->problem = answer.records.empty() ? answer.problem : "no SRV record that could be used";
  for (const Bytes rdata : answer.records) {
    std::optional<SrvRecord> location = SrvRecord::parse(rdata);
    if (!location) continue;
    // Mostly there is one; the first has its place already.
    const auto first = std::ranges::find_if(relays_, [&](const ServiceRelay& one) { return one.instance == instance; });
    if (!first->location) {
      locate(*first, std::move(*location));
    } else if (relays_.size() < kRelaysMax) {
      ServiceRelay another;
      another.instance = instance;
      locate(another, std::move(*location));
      relays_.push_back(std::move(another));
    }
  }
}

void ServiceSearch::locate(ServiceRelay& relay, SrvRecord location) {
  relay.lot = draw(random_, location.weight);
  relay.problem = location.is_unavailable() ? "says that no relay is there" : "its address is not known yet";
  const auto same = std::ranges::find_if(
      relays_, [&](const ServiceRelay& one) { return one.location && one.location->target == location.target; });
  if (same != relays_.end() && !location.is_unavailable()) {
    relay.addresses = same->addresses;
    relay.problem = same->problem;
  }
  if (!location.is_unavailable()) {
    ask(location.target, DnsType::kAaaa);
    ask(location.target, DnsType::kA);
  }
  relay.location = std::move(location);
}

void ServiceSearch::handle_addresses(const DomainName& target, const ServiceAnswer& answer) {
  for (ServiceRelay& relay : relays_) {
    if (!relay.location || relay.location->is_unavailable() || relay.location->target != target) continue;
    for (const Bytes rdata : answer.records) {
      if (rdata.size() != 4 && rdata.size() != 16) continue;
      const IpAddress address = IpAddress::from_bytes(rdata);
      if (is_routed_unicast(address) && relay.addresses.size() < kAddressesEach) relay.addresses.push_back(address);
    }
    const std::string why = answer.records.empty() ? answer.problem : "no address that a relay can have";
    relay.problem = relay.addresses.empty() ? why : "";
  }
}

std::vector<RelayOption> ServiceSearch::found() const {
  std::vector<const ServiceRelay*> sorted;
  for (const ServiceRelay& relay : relays_) {
    if (!relay.addresses.empty()) sorted.push_back(&relay);
  }
  std::ranges::sort(sorted, [](const ServiceRelay* a, const ServiceRelay* b) {
    if (a->location->priority != b->location->priority) return a->location->priority < b->location->priority;
    return a->lot < b->lot;
  });
  std::vector<RelayOption> options;
  for (std::size_t place = 0; place < sorted.size(); ++place) {
    for (const IpAddress& address : sorted[place]->addresses) {
      if (options.size() >= kOptionsMax) return options;
      RelayOption option;
      option.destination.address = address;
      option.origin = RelayOrigin::kDnsSd;
      option.precedence = static_cast<std::uint16_t>(place);
      option.port = sorted[place]->location->port;
      options.push_back(option);
    }
  }
  return options;
}

void ServiceSearch::end_round(Instant now) {
  asking_ = false;
  std::vector<RelayOption> options = found();
  // A resolver that is away for a while ends no reception.
  if (!failed_ || !options.empty()) options_ = std::move(options);
  problem_ = options_.empty() ? why_none() : "";
  known_before_ = true;
  if (failed_) {
    next_start_ = now + random_backoff(random_, kRetryInitial, kRetryMax, failures_++);
  } else {
    failures_ = 0;
    next_start_ = now + std::clamp(lifetime_, kLifetimeMin, kLifetimeMax);
  }
}

void ServiceSearch::handle_timeout(Instant now) {
  if (!asking_) return;
  if (now >= started_at_ + kPatience) {
    for (const Asked& asked : asked_) {
      if (asked.answered) continue;
      handle_failure(asked.question);
      const auto domain = domain_of(asked.question);
      if (domain != domains_.end()) domain->problem = "the resolver does not answer";
    }
    end_round(now);
  } else if (now >= started_at_ + kFirstResultsDelay && !first_results_due_) {
    first_results_due_ = true;
    if (!known_before_) options_ = found();
  }
}

Instant ServiceSearch::next_deadline() const {
  if (!asking_) return next_start_;
  return started_at_ + (first_results_due_ ? kPatience : kFirstResultsDelay);
}

std::string ServiceSearch::why_none() const {
  for (const ServiceRelay& relay : relays_) {
    if (!relay.problem.empty()) return "DNS-SD: " + relay.instance.to_string() + ": " + relay.problem;
  }
  std::string denied;
  for (const ServiceDomain& domain : domains_) {
    if (is_multicast_dns(domain.name)) continue;
    if (!domain.denied) return "DNS-SD: _amt._udp." + domain.name.to_string() + ": " + domain.problem;
    denied += (denied.empty() ? "" : ", ") + domain.name.to_string();
  }
  return denied.empty() ? "" : "no relay by DNS-SD: no _amt._udp in " + denied;
}

}  // namespace amt
