#include "engine/relay_lookup.hh"

#include <memory>

#include "sys/log.hh"

namespace amt {
namespace {

/// One look-up under way; kept alive by the handlers of its queries.
struct Lookup : std::enable_shared_from_this<Lookup> {
  Lookup(DnsClient& client, Random& random, const IpAddress& source, std::function<void(const DriadResult&)> handler)
      : dns(client), driad(random, source), on_done(std::move(handler)) {}

  void drain() {
    while (const std::optional<DriadQuestion> question = driad.poll_question()) {
      dns.look_up(question->name, question->type,
                  [self = shared_from_this(), number = question->number](const DnsAnswer& answer) {
                    self->driad.handle_answer(number, answer);
                    self->drain();
                    if (self->driad.is_done()) self->finish();
                  });
    }
  }

  void finish() {
    const DriadResult& result = driad.result();
    if (result.has_unroutable) {
      log_info("AMTRELAY of {} names a {}: refused", result.name.to_string(), to_string(AmtRelayError::kUnroutable));
    }
    on_done(result);
  }

  DnsClient& dns;
  DriadLookup driad;
  std::function<void(const DriadResult&)> on_done;
};

}  // namespace

void look_up_driad(DnsClient& dns, Random& random, const IpAddress& source,
                   std::function<void(const DriadResult&)> on_done) {
  std::make_shared<Lookup>(dns, random, source, std::move(on_done))->drain();
}

}  // namespace amt
