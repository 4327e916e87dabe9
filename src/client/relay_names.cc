#include "client/relay_names.hh"

#include <algorithm>

#include "ip/address.hh"

namespace amt {

RelayNames::RelayNames(std::vector<NamedRelay> relays, const std::optional<IpAddress>& local, Instant now)
    : relays_(std::move(relays)), local_(local), last_(now), deadline_(now + kRefresh) {}

void RelayNames::set_deadline(Instant now) {
  deadline_ = open_ != 0 ? kNoDeadline : std::max(now, last_ + (trouble_ ? kHurry : kRefresh));
}

void RelayNames::set_trouble(Instant now, bool trouble) {
  if (trouble_ == trouble) return;
  trouble_ = trouble;
  set_deadline(now);
}

void RelayNames::handle_timeout(Instant now) {
  if (deadline_ > now) return;
  last_ = now;
  for (std::size_t at = 0; at < relays_.size(); ++at) {
    if (relays_[at].name.empty()) continue;
    questions_.push_back({at, relays_[at].name});
    ++open_;
  }
  set_deadline(now);
}

bool RelayNames::is_usable(const IpAddress& address) const {
  return (is_routed_unicast(address) || address.is_loopback()) && (!local_ || local_->family() == address.family());
}

void RelayNames::handle_answer(Instant now, std::size_t relay, const HostAnswer& answer) {
  NamedRelay& asked = relays_[relay];
  --open_;
  set_deadline(now);
  std::vector<Endpoint> found;
  for (const IpAddress& address : answer.addresses) {
    if (is_usable(address)) found.push_back({address, asked.port});
  }
  // Resolvers turn the order round; that is no change.
  if (found.empty() || std::ranges::is_permutation(found, asked.endpoints)) return;
  Change change{{}, "relay " + asked.name + " is now at " + found.front().to_string()};
  asked.endpoints = std::move(found);
  for (const NamedRelay& one : relays_) {
    change.relays.insert(change.relays.end(), one.endpoints.begin(), one.endpoints.end());
  }
  changes_.push_back(std::move(change));
}

std::optional<RelayNames::Question> RelayNames::poll_question() {
  if (questions_.empty()) return std::nullopt;
  Question question = std::move(questions_.front());
  questions_.pop_front();
  return question;
}

std::optional<RelayNames::Change> RelayNames::poll_change() {
  if (changes_.empty()) return std::nullopt;
  Change change = std::move(changes_.front());
  changes_.pop_front();
  return change;
}

}  // namespace amt
