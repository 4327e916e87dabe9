#include "observe/channel_walk.hh"

#include <utility>

#include "observe/row_order.hh"
#include "observe/top_rows.hh"

namespace amt {

void ChannelWalk::next(Deliver deliver) {
  deliver_ = std::move(deliver);
  ask(
      worker_, [slice = slice_, query = query_](RelayWorker& worker) { collect_channels(worker, query, *slice); },
      &ChannelWalk::on_slice);
}

void ChannelWalk::ask(std::size_t worker, std::function<void(RelayWorker&)> visit, void (ChannelWalk::*then)()) {
  engine_.ask_worker(worker, std::move(visit), [self = weak_from_this(), then] {
    if (const std::shared_ptr<ChannelWalk> alive = self.lock()) (*alive.*then)();
  });
}

void ChannelWalk::on_slice() {
  joined_ = 0;
  join();
}

void ChannelWalk::join() {
  if (joined_ == worker_) ++joined_;
  if (joined_ == engine_.worker_count() || slice_->rows.empty()) return deliver();
  ask(
      joined_,
      [slice = slice_, told_before = joined_ < worker_](RelayWorker& worker) {
        add_channels(worker, told_before, *slice);
      },
      &ChannelWalk::on_joined);
}

void ChannelWalk::on_joined() {
  ++joined_;
  join();
}

void ChannelWalk::deliver() {
  std::vector<ChannelStatus> rows;
  for (ChannelRow& row : slice_->rows) {
    if (!row.is_known) rows.push_back(std::move(row.channel));
  }
  if (!slice_->has_more) {
    *slice_ = {};
    ++worker_;
  }
  const bool has_more = worker_ < engine_.worker_count();
  std::exchange(deliver_, nullptr)(std::move(rows), has_more);
}

namespace {

/// Holds its walk while that goes on.
struct BusiestChannels : std::enable_shared_from_this<BusiestChannels> {
  BusiestChannels(RelayEngine& engine, std::size_t max, std::function<void(std::vector<ChannelStatus>)> when_done)
      : walk(std::make_shared<ChannelWalk>(engine, StatusQuery{})),
        top(max, *channel_order(SortKey::kTunnels)),
        done(std::move(when_done)) {}

  void run() {
    walk->next([self = shared_from_this()](std::vector<ChannelStatus> rows, bool has_more) {
      for (ChannelStatus& row : rows) self->top.add(std::move(row));
      has_more ? self->run() : self->done(self->top.take_sorted());
    });
  }

  std::shared_ptr<ChannelWalk> walk;
  TopRows<ChannelStatus> top;
  std::function<void(std::vector<ChannelStatus>)> done;
};

}  // namespace

void find_busiest_channels(RelayEngine& engine, std::size_t max,
                           std::function<void(std::vector<ChannelStatus> channels)> done) {
  std::make_shared<BusiestChannels>(engine, max, std::move(done))->run();
}

}  // namespace amt
