/// The C interface: arguments are checked, nothing is thrown over its border.

#include <algorithm>
#include <limits>
#include <new>
#include <string>

#include "amt/amt.h"
#include "amt/version.hh"
#include "library/c_values.hh"
#include "library/receiver.hh"
#include "sys/clock.hh"

/// Behind the caller's pointer.
struct amt_receiver {
  std::unique_ptr<amt::LibraryReceiver> receiver;
  amt_error error{};
};

namespace {

using amt::Failure;
using amt::fill;
using amt::guarded;

amt_status kept(amt_receiver& receiver, const amt::Result<void, Failure>& done) {
  fill(&receiver.error, done ? Failure{AMT_OK, {}} : done.error());
  return receiver.error.status;
}

amt::Result<std::unique_ptr<amt::LibraryReceiver>, Failure> open(const char* url, const amt_receiver_options* given) {
  const amt::Result<amt_receiver_options, Failure> options = amt::complete_options(given);
  if (!options) return amt::Unexpected<Failure>(options.error());
  const amt::Result<amt::ReceiveConfig, Failure> config = amt::receive_config(url, *options);
  if (!config) return amt::Unexpected<Failure>(config.error());
  return amt::LibraryReceiver::open(*config, *options);
}

const char* text_of(int status) {
  switch (status) {
    case AMT_OK:
      return "no error";
    case AMT_ERROR_ARGUMENT:
      return "an argument that cannot be";
    case AMT_ERROR_URL:
      return "no URL of a channel";
    case AMT_ERROR_NAME:
      return "a relay's name has no address";
    case AMT_ERROR_SYSTEM:
      return "a system call failed";
    case AMT_ERROR_MEMORY:
      return "no memory";
    case AMT_ERROR_INTERNAL:
      return "an error inside libamt";
    case AMT_ERROR_ORDER:
      return "a call at the wrong time";
  }
  return "an unknown status";
}

}  // namespace

extern "C" {

const char* amt_error_text(const amt_error* error) {
  if (error == nullptr) return "";
  return error->text[0] == 0 ? text_of(amt::number_of(error->status)) : error->text;
}

const char* amt_status_text(amt_status status) { return text_of(amt::number_of(status)); }

const char* amt_version(void) { return amt::version().data(); }
int amt_abi_version(void) { return AMT_ABI_VERSION; }

amt_receiver* amt_receiver_open(const char* url, const amt_receiver_options* options, amt_error* error) {
  amt_receiver* made = nullptr;
  const amt::Result<void, Failure> done = guarded([&]() -> amt::Result<void, Failure> {
    auto result = std::make_unique<amt_receiver>();
    auto receiver = open(url, options);
    if (!receiver) return amt::Unexpected<Failure>(receiver.error());
    result->receiver = std::move(*receiver);
    made = result.release();
    return {};
  });
  fill(error, done ? Failure{AMT_OK, {}} : done.error());
  return made;
}

void amt_receiver_close(amt_receiver* receiver) {
  const std::unique_ptr<amt_receiver> ended(receiver);
  if (!ended) return;
  // For want of memory a message to the relay is not sent.
  static_cast<void>(guarded([&]() -> amt::Result<void, Failure> {
    ended->receiver.reset();
    return {};
  }));
}

int amt_receiver_fd(const amt_receiver* receiver) { return receiver == nullptr ? -1 : receiver->receiver->fd(); }

int amt_receiver_timeout_ms(const amt_receiver* receiver) {
  if (receiver == nullptr) return -1;
  const amt::Instant deadline = receiver->receiver->next_deadline();
  if (deadline == amt::kNoDeadline) return -1;
  // Rounded up: a call that comes too early would do nothing.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - amt::monotonic_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

amt_status amt_receiver_process(amt_receiver* receiver) {
  if (receiver == nullptr) return AMT_ERROR_ARGUMENT;
  return kept(*receiver, guarded([&] { return receiver->receiver->process(); }));
}

const amt_error* amt_receiver_error(const amt_receiver* receiver) {
  static const amt_error kNone{AMT_ERROR_ARGUMENT, 0, "the receiver is a null pointer"};
  return receiver == nullptr ? &kNone : &receiver->error;
}

long amt_receiver_read(amt_receiver* receiver, void* buffer, size_t size) {
  amt_packet packet;
  if ((buffer == nullptr && size != 0) || amt_receiver_next(receiver, &packet) == 0) return -1;
  if (const size_t octets = std::min(size, packet.octets); octets != 0) std::memcpy(buffer, packet.payload, octets);
  return static_cast<long>(packet.octets);
}

int amt_receiver_next(amt_receiver* receiver, amt_packet* packet) {
  if (receiver == nullptr || packet == nullptr) return 0;
  const std::optional<amt::PacketQueue::Packet> next = receiver->receiver->queue().pop();
  if (!next) return 0;
  *packet = amt::packet_of(next->arrival, {next->payload, next->source, next->destination});
  return 1;
}

amt_status amt_receiver_join(amt_receiver* receiver, const char* url) {
  if (receiver == nullptr) return AMT_ERROR_ARGUMENT;
  return kept(*receiver, guarded([&]() -> amt::Result<void, Failure> {
    const amt_receiver_options defaults = AMT_RECEIVER_OPTIONS_INIT;
    const amt::Result<amt::ReceiveConfig, Failure> config = amt::receive_config(url, defaults);
    if (!config) return amt::Unexpected<Failure>(config.error());
    return receiver->receiver->join(config->urls.front());
  }));
}

amt_status amt_receiver_get_statistics(const amt_receiver* receiver, amt_receiver_statistics* statistics) {
  if (receiver == nullptr) return AMT_ERROR_ARGUMENT;
  amt_receiver_statistics all{};
  const amt::Result<void, Failure> done = guarded([&]() -> amt::Result<void, Failure> {
    all = receiver->receiver->statistics();
    return {};
  });
  if (!done) return done.error().status;
  return amt::fill_known_part(statistics, all) ? AMT_OK : AMT_ERROR_ARGUMENT;
}

size_t amt_receiver_silence_reason(const amt_receiver* receiver, char* text, size_t size) {
  std::string reason = "the receiver is a null pointer";
  static_cast<void>(guarded([&]() -> amt::Result<void, Failure> {
    if (receiver != nullptr) reason = receiver->receiver->reason_of_silence();
    return {};
  }));
  return amt::copy_text(reason, text, size);
}

}  // extern "C"
