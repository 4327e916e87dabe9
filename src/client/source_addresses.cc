#include "client/source_addresses.hh"

namespace amt {
namespace {

/// Relays that are remembered. The DNS names far fewer.
constexpr std::size_t kAnswersMax = 256;

}  // namespace

void SourceAddresses::ask(const IpAddress& destination) {
  if (fixed_ || !open_.insert(destination).second) return;
  questions_.push_back(destination);
}

std::optional<IpAddress> SourceAddresses::poll_question() {
  if (questions_.empty()) return std::nullopt;
  const IpAddress destination = questions_.front();
  questions_.pop_front();
  return destination;
}

void SourceAddresses::handle_answer(const IpAddress& destination, const std::optional<IpAddress>& source) {
  if (open_.erase(destination) == 0) return;
  if (answers_.size() >= kAnswersMax && !answers_.contains(destination)) answers_.clear();
  answers_[destination] = source;
}

Destination SourceAddresses::destination(const IpAddress& address) const {
  if (fixed_) return {address, fixed_->family() == address.family() ? fixed_ : std::nullopt};
  const auto answer = answers_.find(address);
  return {address, answer == answers_.end() ? std::nullopt : answer->second};
}

}  // namespace amt
