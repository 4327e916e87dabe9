#include "cli/gateway_successor.hh"

#include <utility>

#include "cli/hand_over.hh"
#include "sys/boot_id.hh"
#include "sys/clock.hh"

namespace amt {
namespace {

/// The other process may have to wait for the names of relays first.
constexpr Duration kReadyPatience = std::chrono::minutes(1);

SysResult<void> send_rest(const GatewayEngine& engine, DescriptorChannel& channel) {
  const SysResult<BootId> boot = boot_id();
  if (!boot) return Unexpected<SysError>(boot.error());
  return send_part(channel, engine.state(*boot), engine.descriptors());
}

}  // namespace

GatewaySuccessor::GatewaySuccessor(EventLoop& loop, const GatewayEngine& engine, DescriptorChannel channel,
                                   const std::vector<LentDescriptor>& listeners, Done done)
    : engine_(engine),
      channel_(std::move(channel)),
      done_(std::move(done)),
      patience_(loop, [this] { finish(Unexpected<std::string>(problem_.empty() ? "it took too long" : problem_)); }),
      answers_(loop, channel_.fd(), [this] { on_answer(); }) {
  const SysResult<void> sent = send_descriptors(channel_, listeners);
  if (!sent) problem_ = sent.error().to_string();
  patience_.set(sent ? monotonic_now() + kReadyPatience : monotonic_now());
}

void GatewaySuccessor::on_answer() {
  const SysResult<std::optional<DescriptorMessage>> answer = channel_.receive(Duration::zero());
  if (!answer) return finish(Unexpected<std::string>(answer.error().to_string()));
  if (!*answer) return finish(Unexpected<std::string>("it has ended"));
  if ((*answer)->octets.front() != kFirstPartTaken) {
    return finish(Unexpected<std::string>("it does not speak as a gateway does"));
  }
  finish(give_rest());
}

Result<void, std::string> GatewaySuccessor::give_rest() {
  if (const SysResult<void> sent = send_rest(engine_, channel_); !sent) {
    return Unexpected<std::string>(sent.error().to_string());
  }
  const SysResult<std::optional<DescriptorMessage>> answer = channel_.receive(kHandOverPatience);
  if (!answer) return Unexpected<std::string>(answer.error().to_string());
  if (!*answer) return Unexpected<std::string>("it has ended");
  if ((*answer)->octets.front() != kAllTaken) return Unexpected<std::string>("it does not speak as a gateway does");
  return {};
}

void GatewaySuccessor::finish(Result<void, std::string> taken) {
  const Done done = std::move(done_);
  done(std::move(taken));
}

SysResult<void> leave_everything(const GatewayEngine& engine, DescriptorChannel& channel,
                                 const std::vector<LentDescriptor>& listeners) {
  if (SysResult<void> sent = send_descriptors(channel, listeners); !sent) return sent;
  return send_rest(engine, channel);
}

}  // namespace amt
