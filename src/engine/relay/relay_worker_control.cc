/// The control thread's calls of a worker.

#include <utility>

#include "engine/relay/relay_worker.hh"
#include "sys/clock.hh"

namespace amt {

void RelayWorker::add_socket(UdpSocket socket) {
  if (is_shut_down_) return;
  UdpSocket& added = sockets_.emplace_back(std::move(socket));
  fan_out_.add_socket(added);
  watch(added);
}

void RelayWorker::set_options(const RelayOptions& options, const DataPathOptions& data_path) {
  relay_.set_options(monotonic_now(), options);
  fan_out_.set_rate_cap(data_path.rate_cap);
  pace_ = BatchPace(data_path.batch_delay_max);
  settle();
}

void RelayWorker::set_capture(std::size_t number, std::unique_ptr<UpstreamCapture> capture) {
  if (is_shut_down_) return;
  if (number == captures_.size()) {
    captures_.push_back({.number = static_cast<std::uint32_t>(number)});
  }
  CapturePlace& place = captures_[number];
  // The watch first: it must let go of the old descriptor before that is closed.
  place.watch.reset();
  if (place.capture) place.before += place.capture->statistics();
  place.capture = std::move(capture);
  if (!place.capture) return;
  screen_.set_upstream(place.number, place.capture->interface(), place.capture->may_return());
  place.watch.emplace(loop_, place.capture->fd(), [this, &place] { on_upstream_readable(place); });
  place.capture->set_wanted(wanted_);
  if (local_senders_) place.capture->set_local_senders(true);
}

void RelayWorker::set_local_senders(bool wanted) {
  local_senders_ = wanted;
  for (const CapturePlace& place : captures_) {
    if (place.capture) place.capture->set_local_senders(wanted);
  }
}

void RelayWorker::shutdown(EndReason reason) {
  is_shut_down_ = true;
  watches_.clear();
  captures_.clear();
  for (bool ended = false; !ended;) {
    ended = relay_.shutdown(monotonic_now(), reason);
    report_events(true);
  }
  protocol_timer_.set(kNoDeadline);
  publish_timer_.set(kNoDeadline);
  flow_timer_.set(kNoDeadline);
}

}  // namespace amt
