#pragma once
/// Host names looked up on an event loop, by the means that this host is set up with.

#include <functional>
#include <list>
#include <string>

#include "client/relay_names.hh"
#include "engine/runtime/loop.hh"
#include "sys/host_lookup.hh"

namespace amt {

/// Lives on its loop's thread.
class HostClient {
 public:
  using AnswerHandler = std::function<void(const HostAnswer& answer)>;

  explicit HostClient(Loop& loop);
  /// `on_answer` is called once, from the event loop, or never when this object ends before.
  void look_up(const std::string& name, AnswerHandler on_answer);

 private:
  struct Query {
    Query(const std::string& name, AnswerHandler handler) : lookup(name), on_answer(std::move(handler)) {}

    HostLookup lookup;
    AnswerHandler on_answer;
  };

  void poll();

  std::list<Query> queries_;
  Timer timer_;
};

}  // namespace amt
