#include "engine/runtime/dns_client.hh"

#include <algorithm>

#include "sys/clock.hh"

namespace amt {

Result<std::unique_ptr<DnsClient>, std::string> DnsClient::create(Loop& loop, const DnsResolverOptions& options) {
  Result<std::unique_ptr<DnsResolver>, std::string> resolver = DnsResolver::create(options);
  if (!resolver) return Unexpected<std::string>(resolver.error());
  return std::unique_ptr<DnsClient>(new DnsClient(loop, std::move(*resolver), options.signatures_wait));
}

DnsClient::DnsClient(Loop& loop, std::unique_ptr<DnsResolver> resolver, Duration signatures_wait)
    : signatures_wait_(signatures_wait),
      resolver_(std::move(resolver)),
      timer_(loop, [this] { send_waiting(); }),
      patience_timer_(loop, [this] { hasten(); }) {
  for (const int fd : resolver_->fds()) watches_.emplace_back(loop, fd, [this] { resolver_->process(); });
}

void DnsClient::look_up(const std::string& name, std::uint16_t type, DnsResolver::AnswerHandler on_answer) {
  if (waiting_.size() >= kWaitingMax) {
    DnsAnswer answer;
    answer.problem = "too many look-ups at once";
    return on_answer(answer);
  }
  waiting_.push_back({name, type, std::move(on_answer)});
  send_waiting();
}

void DnsClient::send_waiting() {
  const Instant now = monotonic_now();
  while (!waiting_.empty() && budget_.next_allowed() <= now) {
    budget_.spend(now);
    Query query = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(query));
  }
  timer_.set(waiting_.empty() ? kNoDeadline : budget_.next_allowed());
}

void DnsClient::start(Query query) {
  const Instant now = monotonic_now();
  const bool is_impatient = now < impatient_until_;
  const DnsResolver::Ticket ticket = resolver_->look_up(query.name, query.type, std::move(query.on_answer));
  running_.push_back({ticket, is_impatient ? now : now + kPlainAfter, is_impatient ? now : now + signatures_wait_});
  set_patience_timer();
}

void DnsClient::hasten() {
  const Instant now = monotonic_now();
  // Answers in between may begin further look-ups: never while the list is walked.
  std::vector<DnsResolver::Ticket> slow;
  std::vector<DnsResolver::Ticket> given_up;
  for (Running& one : running_) {
    if (one.ask_plainly_at <= now) slow.push_back(one.ticket);
    if (one.ask_plainly_at <= now) one.ask_plainly_at = kNoDeadline;
    if (one.stop_waiting_at <= now) given_up.push_back(one.ticket);
  }
  std::erase_if(running_, [now](const Running& one) { return one.stop_waiting_at <= now; });
  for (const DnsResolver::Ticket ticket : slow) resolver_->ask_plainly(ticket);
  for (const DnsResolver::Ticket ticket : given_up) {
    if (resolver_->stop_waiting(ticket)) impatient_until_ = now + kImpatience;
  }
  set_patience_timer();
}

void DnsClient::set_patience_timer() {
  Instant next = kNoDeadline;
  for (const Running& one : running_) next = std::min({next, one.ask_plainly_at, one.stop_waiting_at});
  patience_timer_.set(next);
}

}  // namespace amt
