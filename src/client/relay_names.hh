#pragma once
/// Relays that were given by name: when their names are looked up again, and the changes that follow.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/time.hh"

namespace amt {

/// A relay as it was given, in order.
struct NamedRelay {
  /// Empty: `endpoints` was given as addresses, and stays.
  std::string name = {};
  std::uint16_t port = 0;
  /// The addresses of the name at the last look-up.
  std::vector<Endpoint> endpoints = {};
};

/// Addresses of a host, or why there are none.
struct HostAnswer {
  std::vector<IpAddress> addresses;
  /// As a person reads it; empty: there are addresses.
  std::string problem;
};

/// Looks names up every few minutes, because a resolver of the host tells no TTL, and soon while the relay does not
/// answer. A name that cannot be looked up keeps its addresses. Decides, never asks: one input, then `poll_question`
/// and `poll_change` until they give nothing. Pure, not thread-safe.
class RelayNames {
 public:
  static constexpr Duration kRefresh = std::chrono::minutes(5);
  static constexpr Duration kHurry = std::chrono::seconds(10);

  /// Names a question: the place of the relay among those that were given.
  struct Question {
    std::size_t relay = 0;
    std::string name;
  };
  /// A name stands for other addresses than before.
  struct Change {
    /// Of every relay, in order.
    std::vector<Endpoint> relays;
    /// For the log.
    std::string text;
  };

  /// `local`: of names only addresses of its family count.
  RelayNames(std::vector<NamedRelay> relays, const std::optional<IpAddress>& local, Instant now);

  /// The relay in use does not answer, or does again.
  void set_trouble(Instant now, bool trouble);
  void handle_answer(Instant now, std::size_t relay, const HostAnswer& answer);
  void handle_timeout(Instant now);

  [[nodiscard]] std::optional<Question> poll_question();
  [[nodiscard]] std::optional<Change> poll_change();
  [[nodiscard]] Instant next_deadline() const { return deadline_; }

 private:
  [[nodiscard]] bool is_usable(const IpAddress& address) const;
  void set_deadline(Instant now);

  std::vector<NamedRelay> relays_;
  std::optional<IpAddress> local_;
  bool trouble_ = false;
  /// When names were looked up last.
  Instant last_;
  Instant deadline_;
  /// Names whose look-up is under way.
  std::size_t open_ = 0;
  std::deque<Question> questions_;
  std::deque<Change> changes_;
};

}  // namespace amt
