#include "cli/relay_successor.hh"

#include <utility>

#include "cli/hand_over.hh"
#include "sys/boot_id.hh"
#include "sys/clock.hh"

namespace amt {

RelaySuccessor::RelaySuccessor(EventLoop& loop, RelayEngine& engine, DescriptorChannel channel,
                               std::vector<LentDescriptor> listeners, Done done)
    : engine_(engine),
      channel_(std::move(channel)),
      listeners_(std::move(listeners)),
      done_(std::move(done)),
      patience_(loop, [this] { fail("it took too long"); }),
      answers_(loop, channel_.fd(), [this] { on_answer(); }) {
  patience_.set(monotonic_now() + kHandOverPatience);
  if (const SysResult<BootId> boot = boot_id()) boot_ = *boot;
  const std::weak_ptr<int> alive = alive_;
  engine_.hold_control(true, [this, alive] {
    if (alive.expired()) return;
    engine_.collect_state(boot_, StateParts::kTunnels, [this, alive](const std::vector<std::byte>& document) {
      if (!alive.expired()) offer_tunnels(document);
    });
  });
}

void RelaySuccessor::offer_tunnels(const std::vector<std::byte>& document) {
  const SysResult<void> sent = send_part(channel_, document, std::move(listeners_));
  if (!sent) return fail(sent.error().to_string());
  phase_ = Phase::kTunnelsOffered;
}

void RelaySuccessor::offer_all() {
  engine_.stop_workers();
  phase_ = Phase::kAllOffered;
  const SysResult<void> sent = send_part(channel_, engine_.state(boot_, StateParts::kUses), engine_.descriptors());
  if (!sent) fail(sent.error().to_string());
}

void RelaySuccessor::on_answer() {
  const SysResult<std::optional<DescriptorMessage>> answer = channel_.receive(Duration::zero());
  if (!answer) return fail(answer.error().to_string());
  if (!*answer) return fail("it has ended");
  const std::byte word = (*answer)->octets.front();
  if (word == kFirstPartTaken && phase_ == Phase::kTunnelsOffered) return offer_all();
  if (word != kAllTaken || phase_ != Phase::kAllOffered) return fail("it does not speak as a relay does");
  const Done done = std::move(done_);
  done({});
}

void RelaySuccessor::fail(const std::string& why) {
  if (phase_ == Phase::kAllOffered) engine_.start_workers();
  engine_.hold_control(false, [] {});
  const Done done = std::move(done_);
  done(Unexpected<std::string>(why));
}

SysResult<void> leave_everything(RelayEngine& engine, DescriptorChannel& channel,
                                 const std::vector<LentDescriptor>& listeners) {
  const SysResult<BootId> boot = boot_id();
  if (!boot) return Unexpected<SysError>(boot.error());
  if (SysResult<void> sent = send_part(channel, engine.state(*boot, StateParts::kTunnels), listeners); !sent)
    return sent;
  return send_part(channel, engine.state(*boot, StateParts::kUses), engine.descriptors());
}

}  // namespace amt
