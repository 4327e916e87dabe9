#include "engine/gateway/reception_watch.hh"

#include <fmt/ranges.h>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

bool is_due(const std::optional<Instant>& told, Instant now) {
  return !told || now >= *told + ReceptionWatch::kWarningInterval;
}

}  // namespace

ReceptionWatch::ReceptionWatch(Loop& loop, const GroupMeter& meter, const Client& client, const Downstream& own)
    : meter_(meter), client_(client), own_(own), info_(own.info()), timer_(loop, [this] { on_timer(); }) {
  timer_.set(monotonic_now() + kInterval);
}

void ReceptionWatch::on_timer() {
  const Instant now = monotonic_now();
  look_for_missing(now);
  look_at_delivery(now);
  timer_.set(now + kInterval);
}

void ReceptionWatch::look_for_missing(Instant now) {
  if (!is_due(missing_logged_, now)) return;
  const GroupMeter::Missing missing = meter_.missing(now);
  if (missing.groups == 0) return;
  missing_logged_ = now;
  std::vector<std::string> names;
  for (const IpAddress& group : missing.named) names.push_back(group.to_string());
  log_warn("{} of {} groups that are wanted do not come: {}{}, for {} s: {}", missing.groups, meter_.group_count(),
           fmt::join(names, ", "), missing.groups > names.size() ? ", ..." : "",
           std::chrono::duration_cast<std::chrono::seconds>(missing.longest).count(), reason(missing));
}

std::string ReceptionWatch::reason(const GroupMeter::Missing& missing) const {
  if (missing.coming == 0) return client_.reason_of_silence();
  return fmt::format(
      "the tunnel works, {} come; these sources may have paused, or the relay refuses more groups (its --max-groups, "
      "--allow-group)",
      missing.coming);
}

void ReceptionWatch::look_at_delivery(Instant now) {
  const std::optional<DeliveryStatistics> before = std::exchange(delivery_, read_delivery_statistics(own_.interface()));
  const DownstreamInfo earlier = std::exchange(info_, own_.info());
  if (!before || !delivery_ || info_.kind != "tun") return;
  const DeliveryProblem problem = judge_delivery(*before, *delivery_, info_.packets_of[0] - earlier.packets_of[0],
                                                 info_.packets_of[1] - earlier.packets_of[1]);
  if (problem == DeliveryProblem::kNone || !is_due(drops_logged_, now)) return;
  drops_logged_ = now;
  if (problem == DeliveryProblem::kReversePath) {
    log_warn(
        "{0}: this host drops what the tunnel brings, by reverse-path filtering; mend: sysctl "
        "net.ipv4.conf.{0}.rp_filter=0 net.ipv4.conf.all.rp_filter=0",
        own_.interface());
    return;
  }
  log_warn(
      "{0}: what the tunnel brings reaches no program: a firewall on this host drops it. Let it in, with nftables: "
      "nft insert rule inet filter input iifname \"{0}\" accept; with ufw: ufw allow in on {0}; with firewalld: "
      "firewall-cmd --zone=trusted --add-interface={0}",
      own_.interface());
}

}  // namespace amt
