#include "engine/relay/answer_batch.hh"

#include "sys/log.hh"

namespace amt {
namespace {

constexpr std::size_t kAnswersMax = 128;

}  // namespace

void AnswerBatch::add(UdpSocket& socket, const Endpoint& to, Bytes datagram) {
  if (answers_.size() == kAnswersMax || socket_ != &socket) flush();
  socket_ = &socket;
  answers_.push_back({to, octets_.size(), datagram.size()});
  octets_.insert(octets_.end(), datagram.begin(), datagram.end());
}

void AnswerBatch::flush() {
  if (answers_.empty()) return;
  // Only now: the octets have moved while they grew.
  pieces_.clear();
  for (const Answer& answer : answers_) pieces_.push_back(Bytes(octets_).subspan(answer.first_octet, answer.octets));
  messages_.clear();
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    messages_.push_back(Transmit{.to = answers_[i].to, .pieces = {&pieces_[i], 1}});
  }
  socket_->send(messages_, [this](const SendFailure& failure) {
    log_debug("send to {}: {}", messages_[failure.index].to.to_string(),
              SysError{"sendmmsg", {}, failure.code}.to_string());
  });
  answers_.clear();
  octets_.clear();
}

}  // namespace amt
