#include "observe/relay_status_stream.hh"

#include <algorithm>
#include <utility>

#include "observe/channel_walk.hh"
#include "observe/engine_status.hh"
#include "observe/relay_slices.hh"
#include "observe/row_order.hh"
#include "observe/status_rows.hh"

namespace amt {
namespace {

/// A piece is delivered when it has this many octets.
constexpr std::size_t kPieceOctets = 16 * 1024;

class RelayStatusStream : public std::enable_shared_from_this<RelayStatusStream> {
 public:
  RelayStatusStream(RelayEngine& engine, const StatusQuery& query, std::optional<TopRows<TunnelStatus>> tunnels,
                    std::optional<TopRows<ChannelStatus>> channels)
      : engine_(engine),
        query_(query),
        top_tunnels_(std::move(tunnels)),
        top_channels_(std::move(channels)),
        channel_walk_(std::make_shared<ChannelWalk>(engine, query)) {
    wanted_ = {
        .group = query.group, .address = query.address, .after = query.after, .only = {}, .with_groups = !top_tunnels_};
  }

  void next(StatusStream::Deliver deliver) {
    deliver_ = std::move(deliver);
    run();
  }

 private:
  /// The list that is written now.
  enum class Part : std::uint8_t { kHead, kTunnels, kSortedTunnels, kChannels, kEnd, kNothing };

  void run();
  /// One step. False: a worker has been asked, whose answer calls `run`.
  bool advance();
  void write_head();
  void begin_list(Part part);
  void end_tunnels();
  void end_channels();
  void ask(std::size_t worker, std::function<void(RelayWorker&)> visit, void (RelayStatusStream::*then)());
  void ask_for_tunnels();
  void on_tunnels();
  void ask_for_sorted_tunnel();
  void on_sorted_tunnel();
  void ask_for_channels();
  void on_channels(std::vector<ChannelStatus> rows, bool has_more);

  RelayEngine& engine_;
  StatusQuery query_;
  std::optional<TopRows<TunnelStatus>> top_tunnels_;
  std::optional<TopRows<ChannelStatus>> top_channels_;
  TunnelWanted wanted_;
  Part part_ = Part::kHead;
  StatusStream::Deliver deliver_;
  std::string out_;
  /// The worker that is asked for its own.
  std::size_t worker_ = 0;
  /// Shared with the worker that fills it.
  std::shared_ptr<TunnelSlice> tunnel_slice_ = std::make_shared<TunnelSlice>();
  std::vector<TunnelStatus> sorted_;
  std::size_t sorted_at_ = 0;
  std::shared_ptr<ChannelWalk> channel_walk_;
  JsonRows rows_;
  /// The rows that the filters let pass.
  std::size_t matched_ = 0;
};

void RelayStatusStream::run() {
  // The head goes out at once.
  const bool is_first = part_ == Part::kHead;
  while (part_ != Part::kNothing && out_.size() < kPieceOctets) {
    if (!advance()) return;
    if (is_first) break;
  }
  const StatusStream::Deliver deliver = std::exchange(deliver_, nullptr);
  deliver(std::exchange(out_, {}));
}

bool RelayStatusStream::advance() {
  switch (part_) {
    case Part::kHead:
      write_head();
      begin_list(Part::kTunnels);
      return true;
    case Part::kTunnels:
      ask_for_tunnels();
      return false;
    case Part::kSortedTunnels:
      if (sorted_at_ < sorted_.size()) {
        ask_for_sorted_tunnel();
        return false;
      }
      end_tunnels();
      return true;
    case Part::kChannels:
      ask_for_channels();
      return false;
    case Part::kEnd:
      out_ += '}';
      part_ = Part::kNothing;
      return true;
    case Part::kNothing:
      break;
  }
  AMT_ASSERT(false);
}

void RelayStatusStream::write_head() {
  const RelayStatus status = relay_status(engine_);
  out_ = status_head_json(status, query_.counters);
}

/// Or the next one that is wanted.
void RelayStatusStream::begin_list(Part part) {
  worker_ = 0;
  matched_ = 0;
  if (part == Part::kTunnels && query_.tunnels) {
    out_ += ",\"tunnels\":[";
    part_ = Part::kTunnels;
  } else if (part != Part::kEnd && query_.channels) {
    out_ += ",\"channels\":[";
    part_ = Part::kChannels;
  } else {
    part_ = Part::kEnd;
  }
  rows_ = {};
}

void RelayStatusStream::ask(std::size_t worker, std::function<void(RelayWorker&)> visit,
                            void (RelayStatusStream::*then)()) {
  engine_.ask_worker(worker, std::move(visit), [self = weak_from_this(), then] {
    if (const std::shared_ptr<RelayStatusStream> alive = self.lock()) (*alive.*then)();
  });
}

void RelayStatusStream::ask_for_tunnels() {
  ask(
      worker_,
      [slice = tunnel_slice_, wanted = wanted_](RelayWorker& worker) { collect_tunnels(worker, wanted, *slice); },
      &RelayStatusStream::on_tunnels);
}

void RelayStatusStream::on_tunnels() {
  for (TunnelPart& part : tunnel_slice_->parts) {
    matched_ += part.begins ? 1 : 0;
    if (top_tunnels_) {
      part.tunnel.worker = worker_;
      top_tunnels_->add(std::move(part.tunnel));
    } else {
      rows_.add_tunnel(out_, part);
    }
  }
  if (!tunnel_slice_->has_more) {
    *tunnel_slice_ = {};
    if (++worker_ == engine_.worker_count()) {
      if (top_tunnels_) {
        sorted_ = top_tunnels_->take_sorted();
        sorted_at_ = std::min(query_.offset, sorted_.size());
        part_ = Part::kSortedTunnels;
      } else {
        end_tunnels();
      }
    }
  }
  run();
}

void RelayStatusStream::ask_for_sorted_tunnel() {
  const TunnelStatus& row = sorted_[sorted_at_];
  tunnel_slice_->cursor.number = row.number;
  ask(
      row.worker,
      [slice = tunnel_slice_, wanted = TunnelWanted{.only = row.endpoint}](RelayWorker& worker) {
        collect_tunnels(worker, wanted, *slice);
      },
      &RelayStatusStream::on_sorted_tunnel);
}

void RelayStatusStream::on_sorted_tunnel() {
  for (const TunnelPart& part : tunnel_slice_->parts) rows_.add_tunnel(out_, part);
  if (!tunnel_slice_->has_more) {
    *tunnel_slice_ = {};
    ++sorted_at_;
  }
  run();
}

void RelayStatusStream::end_tunnels() {
  sorted_ = {};
  out_ += "],\"tunnels_matched\":" + std::to_string(matched_);
  begin_list(Part::kChannels);
}

void RelayStatusStream::ask_for_channels() {
  channel_walk_->next([self = weak_from_this()](std::vector<ChannelStatus> rows, bool has_more) {
    if (const std::shared_ptr<RelayStatusStream> alive = self.lock()) alive->on_channels(std::move(rows), has_more);
  });
}

void RelayStatusStream::on_channels(std::vector<ChannelStatus> rows, bool has_more) {
  for (ChannelStatus& row : rows) {
    ++matched_;
    if (top_channels_) {
      top_channels_->add(std::move(row));
    } else {
      rows_.add_channel(out_, row);
    }
  }
  if (!has_more) end_channels();
  run();
}

void RelayStatusStream::end_channels() {
  if (top_channels_) {
    const std::vector<ChannelStatus> sorted = top_channels_->take_sorted();
    for (std::size_t i = query_.offset; i < sorted.size(); ++i) rows_.add_channel(out_, sorted[i]);
  }
  out_ += "],\"channels_matched\":" + std::to_string(matched_);
  begin_list(Part::kEnd);
}

/// The stream lives as long as its reader; a later answer of a worker is dropped.
class Handle final : public StatusStream {
 public:
  explicit Handle(std::shared_ptr<RelayStatusStream> stream) : stream_(std::move(stream)) {}
  void next(Deliver deliver) override { stream_->next(std::move(deliver)); }

 private:
  std::shared_ptr<RelayStatusStream> stream_;
};

}  // namespace

Result<std::unique_ptr<StatusStream>, std::string> relay_status_stream(RelayEngine& engine, const StatusQuery& query) {
  const std::optional<SortKey> tunnel_key = query.paged ? SortKey::kAddress : query.sort;
  std::optional<TopRows<TunnelStatus>> tunnels;
  if (query.tunnels && tunnel_key) {
    const auto order = tunnel_order(*tunnel_key);
    if (!order)
      return Unexpected<std::string>("sort: tunnels have address, packets, bytes, groups, since, heard, expires");
    tunnels.emplace(query.rows_to_sort(), *order);
  }
  std::optional<TopRows<ChannelStatus>> channels;
  if (query.channels && query.sort) {
    const auto order = channel_order(*query.sort);
    if (!order) return Unexpected<std::string>("sort: channels have address, packets, bytes, tunnels");
    channels.emplace(query.rows_to_sort(), *order);
  }
  return std::make_unique<Handle>(
      std::make_shared<RelayStatusStream>(engine, query, std::move(tunnels), std::move(channels)));
}

}  // namespace amt
