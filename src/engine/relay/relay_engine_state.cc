/// The state and the descriptors that a relay hands to another process.

#include <algorithm>
#include <utility>

#include "engine/relay/relay_engine_impl.hh"

namespace amt {
namespace {

/// Walks through all workers at once, each a slice at a time.
class StateCollector : public std::enable_shared_from_this<StateCollector> {
 public:
  StateCollector(RelayEngine& engine, StateParts parts, StateDocument document, Instant written,
                 std::function<void(std::vector<std::byte>)> done)
      : engine_(engine), parts_(parts), document_(std::move(document)), written_(written), done_(std::move(done)) {}

  void run() {
    left_ = engine_.worker_count();
    for (std::size_t i = 0; i < engine_.worker_count(); ++i)
      ask(i, std::make_shared<Slice>(Slice{StateRecords(written_)}));
  }

 private:
  /// Belongs to the worker while it is asked.
  struct Slice {
    StateRecords records;
    StateCursor cursor{};
    bool has_more = true;
  };

  void ask(std::size_t worker, std::shared_ptr<Slice> slice) {
    engine_.ask_worker(
        worker,
        [slice, parts = parts_](RelayWorker& asked) {
          slice->has_more = asked.append_state(slice->records, slice->cursor, parts);
        },
        [self = shared_from_this(), worker, slice] { self->take(worker, slice); });
  }

  void take(std::size_t worker, const std::shared_ptr<Slice>& slice) {
    document_.append(slice->records.octets());
    slice->records.clear();
    if (slice->has_more) return ask(worker, slice);
    if (--left_ == 0) done_(document_.finish());
  }

  RelayEngine& engine_;
  StateParts parts_;
  StateDocument document_;
  Instant written_;
  std::function<void(std::vector<std::byte>)> done_;
  /// Workers with more state to report.
  std::size_t left_ = 0;
};

}  // namespace

SharedState RelayEngine::Impl::shared_state() const {
  SharedState state{.seed = shared->seed,
                    .since = shared->since,
                    .steering_key = steering.key(),
                    .workers = static_cast<std::uint16_t>(steering.workers()),
                    .is_draining = is_draining};
  for (const Endpoint& address : bound) state.addresses.push_back({address});
  return state;
}

void RelayEngine::Impl::append_counters(StateRecords& records) const {
  Counters<RelayCounter> sum = counters;
  Counters<RelayReject> rejects;
  std::uint64_t secrets = 0;
  for (const std::unique_ptr<RelayWorker>& worker : workers) {
    const Counters<RelayCounter> counted = worker->relay().counters();
    sum.add_all(counted);
    rejects.add_all(worker->relay().rejects());
    secrets = std::max(secrets, counted[RelayCounter::kSecretsChanged]);
  }
  const auto add = [&records](std::string_view name, std::uint64_t value) {
    if (value != 0) records.add(name, value);
  };
  // Each worker counts the change that all of them have in common.
  const std::string_view common = counter_name(RelayCounter::kSecretsChanged);
  sum.for_each([&](std::string_view name, std::uint64_t value) { add(name, name == common ? secrets : value); });
  rejects.for_each(add);
}

StateDocument RelayEngine::Impl::begin_document(const BootId& boot, Instant written, StateParts parts) const {
  StateDocument document(kRelayState, boot, written);
  StateRecords records(written);
  if (parts != StateParts::kUses) records.add(shared_state());
  if (parts != StateParts::kTunnels) append_counters(records);
  document.append(records.octets());
  return document;
}

void RelayEngine::collect_state(const BootId& boot, StateParts parts,
                                std::function<void(std::vector<std::byte>)> done) {
  const Instant written = monotonic_now();
  std::make_shared<StateCollector>(*this, parts, impl_->begin_document(boot, written, parts), written, std::move(done))
      ->run();
}

std::vector<std::byte> RelayEngine::state(const BootId& boot, StateParts parts) {
  const Instant written = monotonic_now();
  StateDocument document = impl_->begin_document(boot, written, parts);
  StateRecords records(written);
  for (const std::unique_ptr<RelayWorker>& worker : impl_->workers) {
    StateCursor cursor;
    for (bool has_more = true; has_more; records.clear()) {
      has_more = worker->append_state(records, cursor, parts);
      document.append(records.octets());
    }
  }
  return document.finish();
}

void RelayEngine::ask_all_workers(const std::function<void(RelayWorker&)>& visit, std::function<void()> done) {
  const auto left = std::make_shared<std::size_t>(worker_count());
  const std::function<void()> one_done = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (std::size_t i = 0; i < worker_count(); ++i) ask_worker(i, visit, one_done);
}

void RelayEngine::hold_control(bool held, std::function<void()> done) {
  ask_all_workers([held](RelayWorker& worker) { worker.hold_control(held); },
                  [this, done = std::move(done)] {
                    // By now each worker has the hand-overs that the others made before they held: it takes those
                    // first.
                    ask_all_workers([](RelayWorker&) {}, done);
                  });
}

void RelayEngine::stop_workers() {
  for (const std::unique_ptr<LoopThread>& thread : impl_->threads) thread->stop();
}

void RelayEngine::start_workers() { impl_->start_workers(); }

std::vector<LentDescriptor> RelayEngine::descriptors() const {
  std::vector<LentDescriptor> out;
  std::vector<std::string> interfaces;
  std::vector<int> joins;
  impl_->upstream.for_each([&](const Upstream& upstream, std::size_t number) {
    interfaces.resize(number + 1);
    interfaces[number] = upstream.interface();
    upstream.append_join_descriptors(joins);
    const int tun = upstream.tun_descriptor();
    if (tun >= 0) out.push_back({{.kind = NamedDescriptor::Kind::kTun, .name = upstream.interface()}, tun});
  });
  for (const std::unique_ptr<RelayWorker>& worker : impl_->workers) worker->append_descriptors(interfaces, out);
  for (const int join : joins) out.push_back({{.kind = NamedDescriptor::Kind::kJoin}, join});
  return out;
}

void RelayEngine::abandon() { impl_->is_shut_down = true; }

}  // namespace amt
