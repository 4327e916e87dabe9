#include "engine/relay/relay_engine.hh"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "engine/relay/relay_engine_impl.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// The most hand-overs of others that may wait for a worker: a few milliseconds of work.
constexpr std::size_t kHandedOverMax = 1024;
/// Datagrams that did not fit and wait for the control thread; each may be 64 KB.
constexpr std::size_t kReportsWaitingMax = 512;

template <typename T>
bool is_among(const std::vector<T>& list, const T& one) {
  return std::ranges::find(list, one) != list.end();
}

std::vector<Endpoint> addresses_of(const RelayEngineOptions& options) {
  std::vector<Endpoint> addresses = options.local;
  std::ranges::copy(options.discovery, std::back_inserter(addresses));
  return addresses;
}

}  // namespace

Steering RelayEngine::Impl::steering_of(const RelayEngineOptions& options, Random& random_source) {
  const std::size_t workers = workers_for(options);
  if (options.inheritance && options.inheritance->take_rest) {
    return {workers, options.inheritance->state->shared()->steering_key};
  }
  return {workers, random_source};
}

std::size_t RelayEngine::workers_for(const RelayEngineOptions& options) {
  if (options.inheritance && options.inheritance->take_rest) return options.inheritance->state->shared()->workers;
  return options.router ? 1 : options.workers;
}

SysResult<void> RelayEngine::Impl::open(const RelayEngineOptions& options) {
  if (options.router && steering.workers() != 1) {
    return Unexpected<SysError>(SysError{"take over a relay in host mode as", options.router->interface, EINVAL});
  }
  std::vector<std::vector<UdpSocket>> sockets(steering.workers());
  const bool are_sockets_given = options.inheritance && options.inheritance->take_rest;
  if (!are_sockets_given) {
    SysResult<std::vector<std::vector<UdpSocket>>> own = bind_more(addresses_of(options));
    if (!own) return Unexpected<SysError>(own.error());
    sockets = std::move(*own);
  }
  if (SysResult<void> made = make_workers(options, std::move(sockets)); !made) return made;
  if (options.inheritance) {
    if (SysResult<void> inherited = inherit(*options.inheritance); !inherited) return inherited;
  }
  if (are_sockets_given) {
    SysResult<std::vector<std::vector<UdpSocket>>> more = bind_more(addresses_of(options));
    if (!more) return Unexpected<SysError>(more.error());
    for (std::size_t i = 0; i < workers.size(); ++i) {
      for (UdpSocket& socket : (*more)[i]) workers[i]->add_socket(std::move(socket));
    }
  }
  if (SysResult<void> opened = open_upstreams(options); !opened) return opened;
  keep_earlier_joins();
  // By now everything is open that a relay has from its start.
  const std::size_t open_now = open_descriptors() - earlier_joins.size();
  upstream.descriptors().set_max(descriptors_for_joins(options.descriptors_max, open_now));
  if (options.on_opened) {
    if (SysResult<void> done = options.on_opened(); !done) return done;
  }
  start_workers();
  return {};
}

SysResult<void> RelayEngine::Impl::make_workers(const RelayEngineOptions& options,
                                                std::vector<std::vector<UdpSocket>> sockets) {
  RelayOptions relay = options.relay;
  relay.with_events = static_cast<bool>(options.on_events);
  relay.shared = shared = std::make_shared<RelayShared>(relay, random, started);
  if (options.inheritance) {
    const SharedState& before = *options.inheritance->state->shared();
    shared->seed = before.seed;
    shared->since = before.since;
    for (const LocalAddress& address : before.addresses) {
      const bool is_served = is_among(addresses_of(options), Endpoint(address));
      if (options.inheritance->take_rest && !is_served) relay.retired.push_back(address);
    }
  }
  for (std::size_t i = 0; i < steering.workers(); ++i) {
    threads.push_back(std::make_unique<LoopThread>());
    std::unique_ptr<ReplicationBackEnd> back_end = std::make_unique<SocketBackEnd>();
    if (options.data_path.open_back_end) {
      SysResult<std::unique_ptr<ReplicationBackEnd>> opened = options.data_path.open_back_end();
      if (!opened) return Unexpected<SysError>(opened.error());
      back_end = std::move(*opened);
    }
    workers.push_back(std::make_unique<RelayWorker>(threads[i]->loop(), i, steering, relay, options.data_path,
                                                    std::move(sockets[i]), std::move(back_end), random, *this));
  }
  const Duration patience = workers.size() == 1 ? Duration::zero() : TooBigDesk::kPatience;
  too_big.emplace(loop, ssm, random, counters, patience);
  memory_return.emplace(loop, [this] {
    const Admission::Totals totals = shared->admission.totals();
    return totals.tunnels + totals.memberships;
  });
  return {};
}

SysResult<void> RelayEngine::Impl::open_upstreams(const RelayEngineOptions& options) {
  for (const std::string& interface : options.upstream) {
    if (SysResult<void> added = add_upstream(interface, bound); !added) return added;
  }
  if (!options.router) return {};
  std::optional<GivenDescriptor> tun = take_descriptor(given, NamedDescriptor::Kind::kTun);
  const auto given_tun = std::make_shared<UniqueFd>(tun ? std::move(tun->descriptor) : UniqueFd());
  return upstream.add([this, router = *options.router, given_tun] {
    // Once; the next time the interface is made anew.
    return *given_tun ? adopt_router_upstream(router, std::move(*given_tun), random)
                      : open_router_upstream(router, random);
  });
}

void RelayEngine::Impl::start_workers() {
  for (std::size_t i = 0; i < threads.size(); ++i) threads[i]->start("amt-worker-" + std::to_string(i));
}

SysResult<void> RelayEngine::Impl::add_upstream(const std::string& interface, const std::vector<Endpoint>& own) {
  HostUpstreamOptions host{interface, {}};
  for (const Endpoint& endpoint : own) host.relay_addresses.push_back(endpoint.address);
  SysResult<void> added =
      upstream.add([this, host = std::move(host)] { return open_host_upstream(host, upstream.descriptors()); },
                   [this](const std::string& name, std::size_t worker) { return given_capture(name, worker); });
  if (added) interfaces.push_back(interface);
  return added;
}

SysResult<std::vector<std::vector<UdpSocket>>> RelayEngine::Impl::bind_more(const std::vector<Endpoint>& addresses) {
  UdpOptions socket_options;
  socket_options.quiet_while_sending = true;
  socket_options.ignore_path_mtu = true;
  std::vector<std::vector<UdpSocket>> sockets(steering.workers());
  std::vector<Endpoint> more;
  for (const Endpoint& address : addresses) {
    if (is_among(bound, address) || is_among(more, address)) continue;
    SysResult<std::vector<UdpSocket>> group = steering.bind(address, socket_options);
    if (!group) return Unexpected<SysError>(group.error());
    for (std::size_t i = 0; i < sockets.size(); ++i) sockets[i].push_back(std::move((*group)[i]));
    more.push_back(address);
  }
  std::ranges::copy(more, std::back_inserter(bound));
  return sockets;
}

SysResult<void> RelayEngine::Impl::change_upstreams(const RelayEngineOptions& fresh) {
  const std::vector<std::string> before = interfaces;
  for (const std::string& interface : fresh.upstream) {
    if (is_among(interfaces, interface)) continue;
    SysResult<void> added = add_upstream(interface, addresses_of(fresh));
    if (added) continue;
    for (const std::string& one : interfaces) {
      if (!is_among(before, one)) upstream.remove(one);
    }
    interfaces = before;
    return added;
  }
  for (const std::string& one : before) {
    if (!is_among(fresh.upstream, one)) upstream.remove(one);
  }
  interfaces = fresh.upstream;
  return {};
}

SysResult<void> RelayEngine::Impl::reload(const RelayEngineOptions& fresh) {
  const std::vector<Endpoint> before = bound;
  SysResult<std::vector<std::vector<UdpSocket>>> sockets = bind_more(addresses_of(fresh));
  if (!sockets) return Unexpected<SysError>(sockets.error());
  if (SysResult<void> changed = change_upstreams(fresh); !changed) {
    bound = before;
    return changed;
  }
  RelayOptions relay = fresh.relay;
  for (const Endpoint& address : bound) {
    if (!is_among(addresses_of(fresh), address)) relay.retired.push_back({address});
  }
  shared->set_limits(relay);
  for (std::size_t i = 0; i < workers.size(); ++i) {
    // A posted function must be copyable.
    const auto more = std::make_shared<std::vector<UdpSocket>>(std::move((*sockets)[i]));
    post_to(i, [relay, data_path = fresh.data_path, more](RelayWorker& worker) {
      for (UdpSocket& socket : *more) worker.add_socket(std::move(socket));
      worker.set_options(relay, data_path);
    });
  }
  return {};
}

void RelayEngine::Impl::hand_out(std::size_t worker, std::size_t number, std::unique_ptr<UpstreamCapture> capture) {
  if (!threads[worker]->is_running()) return workers[worker]->set_capture(number, std::move(capture));
  // What is posted can be copied.
  auto passed = std::make_shared<std::unique_ptr<UpstreamCapture>>(std::move(capture));
  post_to(worker, [passed, number](RelayWorker& to) { to.set_capture(number, std::move(*passed)); });
}

void RelayEngine::Impl::post_to(std::size_t worker, std::function<void(RelayWorker&)> work) {
  threads[worker]->loop().post([engine = weak_from_this(), worker, work = std::move(work)] {
    if (const std::shared_ptr<Impl> alive = engine.lock()) work(*alive->workers[worker]);
  });
}

void RelayEngine::Impl::post_to_owner(std::function<void(Impl&)> work) {
  // The loop may run on when the engine is gone.
  loop.post([engine = weak_from_this(), work = std::move(work)] {
    const std::shared_ptr<Impl> alive = engine.lock();
    if (alive && !alive->is_shut_down) work(*alive);
  });
}

void RelayEngine::Impl::change_upstream(RelayWorker& worker, std::vector<FilterChange> changes) {
  post_to_owner([index = worker.index(), changes = std::move(changes)](Impl& engine) {
    for (const FilterChange& change : changes) engine.upstream.apply(change);
    engine.post_to(index, [](RelayWorker& told) { told.upstream_changed(); });
  });
}

void RelayEngine::Impl::report_queries(std::size_t upstream_number, std::vector<HeardQuery> queries) {
  post_to_owner([upstream_number, queries = std::move(queries)](Impl& engine) {
    engine.upstream.handle_queries(upstream_number, queries);
  });
}

void RelayEngine::Impl::report_lost_capture() {
  post_to_owner([](Impl& engine) { engine.upstream.check_now(); });
}

void RelayEngine::Impl::report_return(const ReturnedPacket& packet) {
  post_to_owner([packet](Impl& engine) { engine.upstream.tell_return(packet); });
}

bool RelayEngine::Impl::report_too_big(Bytes datagram, std::size_t inner_octets_max) {
  if (reports_waiting.fetch_add(1) >= kReportsWaitingMax) {
    --reports_waiting;
    return false;
  }
  post_to_owner([octets = std::vector(datagram.begin(), datagram.end()), inner_octets_max](Impl& engine) {
    --engine.reports_waiting;
    engine.too_big->report(monotonic_now(), octets, inner_octets_max);
  });
  return true;
}

bool RelayEngine::Impl::hand_over(std::size_t to, bool urgent, std::function<void(RelayWorker&)> work) {
  std::atomic<std::size_t>& waiting = handed_over[to];
  if (waiting.fetch_add(1) >= (urgent ? kHandedOverMax : kHandedOverMax / 2)) {
    --waiting;
    return false;
  }
  post_to(to, [&waiting, work = std::move(work)](RelayWorker& worker) {
    --waiting;
    work(worker);
  });
  return true;
}

void RelayEngine::Impl::shutdown(EndReason reason) {
  if (std::exchange(is_shut_down, true)) return;
  for (const std::unique_ptr<LoopThread>& thread : threads) thread->stop();
  for (const std::unique_ptr<RelayWorker>& worker : workers) worker->shutdown(reason);
  upstream.shutdown();
}

SysResult<std::unique_ptr<RelayEngine>> RelayEngine::create(EventLoop& loop, const RelayEngineOptions& options,
                                                            Random& random) {
  auto impl = std::make_shared<Impl>(loop, options, random);
  if (const SysResult<void> opened = impl->open(options); !opened) return Unexpected<SysError>(opened.error());
  return std::unique_ptr<RelayEngine>(new RelayEngine(std::move(impl)));
}

RelayEngine::RelayEngine(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
RelayEngine::~RelayEngine() {
  // A thread must not hold the last reference to the object that it runs in.
  for (const std::unique_ptr<LoopThread>& thread : impl_->threads) thread->stop();
}

void RelayEngine::shutdown(EndReason reason) { impl_->shutdown(reason); }
SysResult<void> RelayEngine::reload(const RelayEngineOptions& fresh) { return impl_->reload(fresh); }
bool RelayEngine::is_draining() const { return impl_->is_draining; }
bool RelayEngine::all_upstreams_are_up() const { return impl_->upstream.all_are_up(); }
std::size_t RelayEngine::tunnel_count() const {
  std::size_t tunnels = 0;
  for (const std::unique_ptr<RelayWorker>& worker : impl_->workers) tunnels += worker->relay().tunnel_count();
  return tunnels;
}
void RelayEngine::set_draining(bool draining) {
  impl_->is_draining = draining;
  for (std::size_t i = 0; i < impl_->workers.size(); ++i) {
    impl_->post_to(i, [draining](RelayWorker& worker) { worker.set_draining(draining); });
  }
}
Instant RelayEngine::started() const { return impl_->started; }
std::size_t RelayEngine::worker_count() const { return impl_->workers.size(); }

std::size_t RelayEngine::channel_count() const { return impl_->shared->admission.totals().channels; }
const RelayWorker& RelayEngine::worker(std::size_t index) const { return *impl_->workers[index]; }
const Counters<RelayCounter>& RelayEngine::counters() const { return impl_->counters; }

void RelayEngine::ask_worker(std::size_t index, std::function<void(RelayWorker&)> visit, std::function<void()> done) {
  impl_->post_to(index, [engine = impl_.get(), visit = std::move(visit), done = std::move(done)](RelayWorker& worker) {
    visit(worker);
    engine->post_to_owner([done](Impl&) { done(); });
  });
}

void RelayEngine::for_each_upstream(const std::function<void(const Upstream&, std::size_t number)>& visit) const {
  impl_->upstream.for_each(visit);
}

}  // namespace amt
