/// The sans-I/O level of the C interface: null pointers are refused, nothing is thrown over its border.

#include "amt/core.h"
#include "library/c_values.hh"
#include "library/core.hh"

/// Behind the caller's pointer.
struct amt_core {
  std::unique_ptr<amt::LibraryCore> core;
};

namespace {

using amt::Failure;
using amt::guarded;

amt_status status_of(const amt::Result<void, Failure>& done) { return done ? AMT_OK : done.error().status; }

}  // namespace

extern "C" {

amt_core* amt_core_open(const amt_core_options* options, int64_t now_ns, amt_error* error) {
  amt_core* made = nullptr;
  const amt::Result<void, Failure> done = guarded([&]() -> amt::Result<void, Failure> {
    auto result = std::make_unique<amt_core>();
    auto core = amt::LibraryCore::open(options, now_ns);
    if (!core) return amt::Unexpected<Failure>(core.error());
    result->core = std::move(*core);
    made = result.release();
    return {};
  });
  amt::fill(error, done ? Failure{AMT_OK, {}} : done.error());
  return made;
}

void amt_core_close(amt_core* core) { const std::unique_ptr<amt_core> ended(core); }

amt_status amt_core_set_membership(amt_core* core, int64_t now_ns, const amt_endpoint* group, amt_filter_mode mode,
                                   const amt_endpoint* sources, size_t source_count) {
  if (core == nullptr || group == nullptr || source_count > AMT_CORE_SOURCES_MAX) return AMT_ERROR_ARGUMENT;
  if (sources == nullptr && source_count != 0) return AMT_ERROR_ARGUMENT;
  return status_of(guarded([&] {
    return core->core->set_membership(now_ns, *group, amt::number_of(mode), {sources, source_count});
  }));
}

amt_status amt_core_receive(amt_core* core, int64_t now_ns, uint32_t socket, const amt_datagram* datagrams,
                            size_t count) {
  if (core == nullptr || count > AMT_CORE_DATAGRAMS_MAX || (datagrams == nullptr && count != 0)) {
    return AMT_ERROR_ARGUMENT;
  }
  return status_of(guarded([&] { return core->core->receive(now_ns, socket, {datagrams, count}); }));
}

amt_status amt_core_timeout(amt_core* core, int64_t now_ns) {
  if (core == nullptr) return AMT_ERROR_ARGUMENT;
  return status_of(guarded([&] { return core->core->timeout(now_ns); }));
}

amt_status amt_core_shutdown(amt_core* core, int64_t now_ns) {
  if (core == nullptr) return AMT_ERROR_ARGUMENT;
  return status_of(guarded([&] { return core->core->shutdown(now_ns); }));
}

amt_status amt_core_answer(amt_core* core, int64_t now_ns, const amt_answer* answer) {
  if (core == nullptr || answer == nullptr) return AMT_ERROR_ARGUMENT;
  return status_of(guarded([&]() -> amt::Result<void, Failure> {
    const amt::Result<amt_answer, Failure> known = amt::known_part(answer, amt_answer{}, "amt_answer");
    if (!known) return amt::Unexpected<Failure>(known.error());
    return core->core->answer(now_ns, *known);
  }));
}

amt_status amt_core_poll(amt_core* core, amt_output* output) {
  if (core == nullptr || output == nullptr || output->struct_size < sizeof output->struct_size) {
    return AMT_ERROR_ARGUMENT;
  }
  return status_of(guarded([&]() -> amt::Result<void, Failure> {
    amt::fill_known_part(output, core->core->poll());
    return {};
  }));
}

amt_status amt_core_get_statistics(const amt_core* core, amt_receiver_statistics* statistics) {
  if (core == nullptr) return AMT_ERROR_ARGUMENT;
  amt_receiver_statistics all{};
  const amt::Result<void, Failure> done = guarded([&]() -> amt::Result<void, Failure> {
    all = core->core->statistics();
    return {};
  });
  if (!done) return done.error().status;
  return amt::fill_known_part(statistics, all) ? AMT_OK : AMT_ERROR_ARGUMENT;
}

size_t amt_core_silence_reason(const amt_core* core, char* text, size_t size) {
  std::string reason = "the core is a null pointer";
  static_cast<void>(guarded([&]() -> amt::Result<void, Failure> {
    if (core != nullptr) reason = core->core->reason_of_silence();
    return {};
  }));
  return amt::copy_text(reason, text, size);
}

}  // extern "C"
