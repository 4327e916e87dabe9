#include "engine/dns_client.hh"

#include "sys/clock.hh"

namespace amt {

Result<std::unique_ptr<DnsClient>, std::string> DnsClient::create(EventLoop& loop, const DnsResolverOptions& options) {
  Result<std::unique_ptr<DnsResolver>, std::string> resolver = DnsResolver::create(options);
  if (!resolver) return Unexpected<std::string>(resolver.error());
  return std::unique_ptr<DnsClient>(new DnsClient(loop, std::move(*resolver)));
}

DnsClient::DnsClient(EventLoop& loop, std::unique_ptr<DnsResolver> resolver)
    : resolver_(std::move(resolver)), timer_(loop, [this] { send_waiting(); }) {
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
    const Query query = std::move(waiting_.front());
    waiting_.pop_front();
    resolver_->look_up(query.name, query.type, query.on_answer);
  }
  timer_.set(waiting_.empty() ? kNoDeadline : budget_.next_allowed());
}

}  // namespace amt
