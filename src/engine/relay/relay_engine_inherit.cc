/// A relay that goes on with the tunnels of another process.

#include <cerrno>

#include "engine/relay/relay_engine_impl.hh"
#include "relay/relay_restorer.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// How long joins of the process before are kept: this one has made its own by then.
constexpr Duration kEarlierJoinsKept = std::chrono::seconds(5);

SysError unusable(const std::string& what) { return {"take over", what, EBADMSG}; }

}  // namespace

std::array<std::uint64_t, 6> numbers_of(const PacketRingPlace& place, const UpstreamCapture::Statistics& before) {
  return {place.slots, place.slot_octets, place.next, before.dropped, before.malformed, before.segmented};
}

GivenCapture given_capture(GivenDescriptor given) {
  const std::array<std::uint64_t, 6>& numbers = given.what.numbers;
  return {.fd = std::move(given.descriptor),
          .place = {numbers[0], numbers[1], numbers[2]},
          .before = {numbers[3], numbers[4], numbers[5]}};
}

SysResult<void> RelayEngine::Impl::inherit(const RelayInheritance& inheritance) {
  const SharedState& before = *inheritance.state->shared();
  RelayRestorer::Target target;
  for (const std::unique_ptr<RelayWorker>& worker : workers) target.relays.push_back(&worker->relay_to_restore());
  target.worker_of = [this](const Endpoint& endpoint) { return steering.worker_of(endpoint); };
  target.addresses = before.addresses;
  if (!inheritance.take_rest) {
    // Sockets that are not given are those of the options.
    target.addresses.clear();
    for (const Endpoint& address : bound) target.addresses.push_back({address});
  }
  RelayRestorer restorer(std::move(target), monotonic_now());
  inheritance.state->visit(restorer);
  if (inheritance.take_rest) {
    SysResult<RelayInheritance::Rest> rest = inheritance.take_rest();
    if (!rest) return Unexpected<SysError>(rest.error());
    if (rest->uses) rest->uses->visit(restorer);
    given = std::move(rest->descriptors);
    if (SysResult<void> adopted = adopt_sockets(before); !adopted) return adopted;
  }
  restorer.finish();
  log_info("{} tunnels go on{}", restorer.restored(),
           restorer.left_out() == 0 ? "" : fmt::format(", {} do not fit", restorer.left_out()));
  for (const std::unique_ptr<RelayWorker>& worker : workers) {
    for (const FilterChange& change : worker->begin_restored()) upstream.restore(change);
  }
  return {};
}

SysResult<void> RelayEngine::Impl::adopt_sockets(const SharedState& before) {
  for (const LocalAddress& address : before.addresses) {
    for (std::size_t i = 0; i < workers.size(); ++i) {
      std::optional<GivenDescriptor> taken =
          take_descriptor(given, NamedDescriptor::Kind::kSocket,
                          [&](const NamedDescriptor& what) { return what.owner == i && what.local == address; });
      if (!taken) return Unexpected<SysError>(unusable("no socket of " + address.to_string()));
      SysResult<UdpSocket> socket = UdpSocket::adopt(std::move(taken->descriptor), true);
      if (!socket) return Unexpected<SysError>(socket.error());
      if (socket->local() != address)
        return Unexpected<SysError>(unusable("another socket than that of " + address.to_string()));
      workers[i]->add_socket(std::move(*socket));
    }
    bound.push_back(address);
  }
  return {};
}

std::optional<GivenCapture> RelayEngine::Impl::given_capture(const std::string& interface, std::size_t worker) {
  std::optional<GivenDescriptor> taken =
      take_descriptor(given, NamedDescriptor::Kind::kCapture,
                      [&](const NamedDescriptor& what) { return what.owner == worker && what.name == interface; });
  if (!taken) return std::nullopt;
  return amt::given_capture(std::move(*taken));
}

void RelayEngine::Impl::keep_earlier_joins() {
  for (GivenDescriptor& one : given) {
    if (one.what.kind == NamedDescriptor::Kind::kJoin) earlier_joins.push_back(std::move(one));
  }
  given.clear();
  if (!earlier_joins.empty()) earlier_joins_timer.set(monotonic_now() + kEarlierJoinsKept);
}

}  // namespace amt
