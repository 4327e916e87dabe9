/// Teardown and shutdown (RFC 7450 §5.2.3.7, §5.2.3.8).

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Attached;
using gateway_state::Session;
using gateway_state::TeardownRepeats;

namespace {
/// R-5.2.3.7.2-c: "The RECOMMENDED default delay value is 1 second."
constexpr Duration kTeardownInterval = std::chrono::seconds(1);
}  // namespace

void Gateway::Impl::send_teardown(const Endpoint& to, const Session& session) {
  AMT_ASSERT(session.gateway);
  GatewayTransmit transmit{to, {}};
  transmit.datagram.resize(wire::kTeardownOctets);
  ByteWriter out({transmit.datagram.data(), transmit.datagram.size()});
  wire::Teardown{session.mac, session.nonce, {*session.gateway, session.gateway_is_mapped}}.write(out);
  outputs.emplace_back(std::move(transmit));
  counters.add(GatewayCounter::kTeardownsSent);
}

void Gateway::Impl::start_teardown(Instant now, const Endpoint& to, const Session& session) {
  send_teardown(to, session);
  // A second change within the repeats of the first: the newer one matters more.
  teardown_repeats.reset();
  if (session.robustness > 1) {
    teardown_repeats =
        TeardownRepeats{to, session, static_cast<std::uint8_t>(session.robustness - 1), now + kTeardownInterval};
  }
}

void Gateway::Impl::teardown_timeout(Instant now) {
  if (!teardown_repeats || teardown_repeats->next > now) return;
  send_teardown(teardown_repeats->to, teardown_repeats->session);
  teardown_repeats->next = now + kTeardownInterval;
  if (--teardown_repeats->left == 0) teardown_repeats.reset();
}

void Gateway::Impl::shutdown(Instant now) {
  if (previous && previous->teardown) send_teardown(previous->endpoint, *previous->teardown);
  if (const auto* attached = std::get_if<Attached>(&state);
      attached != nullptr && attached->relay.reported && active()) {
    if (attached->relay.teardown) send_teardown(attached->relay.endpoint, *attached->relay.teardown);
    for (const wire::Protocol protocol : gateway_state::kProtocols) {
      HostMachine& host = hosts[gateway_state::index(protocol)];
      const Session* session = session_of(attached->cycle(protocol));
      // The Teardown ends the endpoint for both protocols (X-4.3-c).
      if (session == nullptr || session->gateway) continue;
      std::vector<IpAddress> groups;
      host.for_each_group([&](const IpAddress& group, const SourceFilter&) { groups.push_back(group); });
      for (const IpAddress& group : groups) static_cast<void>(host.set_filter(now, group, SourceFilter{}));
      const Session copy = *session;
      while (const auto records = host.poll_report()) send_update(copy, protocol, *records);
    }
  }
  state = gateway_state::Idle{.stopped = true};
  previous.reset();
  teardown_repeats.reset();
  data_source.reset();
  for (FlowWatch& watch : watches) watch.reset();
}

}  // namespace amt
