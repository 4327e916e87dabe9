#include "cli/discover_lookup.hh"

#include <utility>

#include "engine/runtime/host_domains.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {

DiscoverLookup::DiscoverLookup(EventLoop& loop, std::unique_ptr<DnsClient> dns, Random& random,
                               const std::optional<IpAddress>& source, Handlers handlers)
    : handlers_(std::move(handlers)),
      services_(random),
      timer_(loop,
             [this] {
               services_.handle_timeout(monotonic_now());
               advance();
             }),
      dns_(std::move(dns)) {
  if (source) driad_.emplace(random, *source);
}

void DiscoverLookup::start(const std::vector<DomainName>& domains) {
  services_.start(monotonic_now(), domains.empty() ? service_domains_of_this_host() : ServiceDomains{domains, {}});
  advance();
}

void DiscoverLookup::advance() {
  while (driad_) {
    const std::optional<DriadQuestion> question = driad_->poll_question();
    if (!question) break;
    dns_->look_up(question->name, question->type, [this, number = question->number](const DnsAnswer& answer) {
      driad_->handle_answer(number, answer);
      advance();
    });
  }
  while (const std::optional<ServiceQuestion> question = services_.poll_question()) {
    dns_->look_up(question->name.to_string(), static_cast<std::uint16_t>(question->type),
                  [this, question = *question](const DnsAnswer& answer) {
                    services_.handle_answer(monotonic_now(), question, service_answer(answer));
                    advance();
                  });
  }
  timer_.set(services_.is_searching() ? services_.next_deadline() : kNoDeadline);
  if (driad_ && driad_->is_done() && handlers_.on_driad) {
    if (const std::string notice = unroutable_notice(driad_->result()); !notice.empty()) log_info("{}", notice);
    std::exchange(handlers_.on_driad, {})(driad_->result());
  }
  // One round is enough.
  if (!services_.is_searching() && handlers_.on_services) std::exchange(handlers_.on_services, {})(services_);
}

}  // namespace amt
