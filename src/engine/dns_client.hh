#pragma once
/// DNS look-ups on an event loop, no more of them at a time than RFC 8777 §3.2.2 allows.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "discovery/query_budget.hh"
#include "engine/event_loop.hh"
#include "io/dns_resolver.hh"

namespace amt {

/// Lives on its event loop's thread.
class DnsClient {
 public:
  /// Look-ups that may wait for their turn; more are answered with a problem.
  static constexpr std::size_t kWaitingMax = 4096;

  /// Error: why there can be none, as a person reads it.
  static Result<std::unique_ptr<DnsClient>, std::string> create(EventLoop& loop, const DnsResolverOptions& options);

  /// As DnsResolver::look_up.
  void look_up(const std::string& name, std::uint16_t type, DnsResolver::AnswerHandler on_answer);

 private:
  struct Query {
    std::string name;
    std::uint16_t type = 0;
    DnsResolver::AnswerHandler on_answer;
  };

  DnsClient(EventLoop& loop, std::unique_ptr<DnsResolver> resolver);
  void send_waiting();

  QueryBudget budget_;
  std::deque<Query> waiting_;
  std::unique_ptr<DnsResolver> resolver_;
  Timer timer_;
  // Last: they end before what they watch.
  std::vector<ReadWatch> watches_;
};

}  // namespace amt
