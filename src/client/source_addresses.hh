#pragma once
/// From which of this host's addresses a relay is reached: asked of the host, one destination at a time.

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "discovery/destination_order.hh"

namespace amt {

/// Asks, and keeps the last answers. Pure, not thread-safe.
class SourceAddresses {
 public:
  /// `fixed`: relays are reached from this address alone, and nothing is asked.
  explicit SourceAddresses(std::optional<IpAddress> fixed) : fixed_(fixed) {}

  /// Asks anew, unless a question for `destination` is still open.
  void ask(const IpAddress& destination);
  /// The next question to put.
  [[nodiscard]] std::optional<IpAddress> poll_question();
  /// None: there is no way to `destination`.
  void handle_answer(const IpAddress& destination, const std::optional<IpAddress>& source);

  /// All that was asked is answered.
  [[nodiscard]] bool is_complete() const { return open_.empty(); }
  /// By the last answer; without a source where there was none.
  [[nodiscard]] Destination destination(const IpAddress& address) const;

 private:
  std::optional<IpAddress> fixed_;
  std::deque<IpAddress> questions_;
  std::set<IpAddress> open_;
  std::map<IpAddress, std::optional<IpAddress>> answers_;
};

}  // namespace amt
