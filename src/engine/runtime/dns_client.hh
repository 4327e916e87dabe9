#pragma once
/// DNS look-ups on an event loop, no more of them at a time than RFC 8777 §3.2.2 allows, and none that waits for
/// signatures longer than a person would.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "discovery/query_budget.hh"
#include "engine/runtime/loop.hh"
#include "io/dns_resolver.hh"

namespace amt {

/// Lives on its loop's thread.
class DnsClient {
 public:
  /// Look-ups that may wait for their turn; more are answered with a problem.
  static constexpr std::size_t kWaitingMax = 4096;
  /// When a validated answer takes this long, the question is also asked without signatures; that one counts after
  /// `DnsResolverOptions::signatures_wait`.
  static constexpr Duration kPlainAfter = std::chrono::milliseconds(300);
  /// Where signatures were given up, other look-ups do not wait for them either, for this long.
  static constexpr Duration kImpatience = std::chrono::seconds(30);

  /// Error: why there can be none, as a person reads it.
  static Result<std::unique_ptr<DnsClient>, std::string> create(Loop& loop, const DnsResolverOptions& options);

  /// As DnsResolver::look_up.
  void look_up(const std::string& name, std::uint16_t type, DnsResolver::AnswerHandler on_answer);

 private:
  struct Query {
    std::string name;
    std::uint16_t type = 0;
    DnsResolver::AnswerHandler on_answer;
  };

  /// A look-up under way, and its next step.
  struct Running {
    DnsResolver::Ticket ticket = 0;
    Instant ask_plainly_at;
    Instant stop_waiting_at;
  };

  DnsClient(Loop& loop, std::unique_ptr<DnsResolver> resolver, Duration signatures_wait);
  void send_waiting();
  void start(Query query);
  void hasten();
  void set_patience_timer();

  QueryBudget budget_;
  std::deque<Query> waiting_;
  std::vector<Running> running_;
  Duration signatures_wait_;
  Instant impatient_until_ = Instant::min();
  std::unique_ptr<DnsResolver> resolver_;
  Timer timer_;
  Timer patience_timer_;
  // Last: they end before the objects that they watch.
  std::vector<ReadWatch> watches_;
};

}  // namespace amt
