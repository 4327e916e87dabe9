#include "stream/psi_decoder.hh"

#include <algorithm>
#include <array>
#include <memory>

#include "media/transport_stream.hh"

// Each header needs those before it.
// clang-format off
#include <dvbpsi/dvbpsi.h>
#include <dvbpsi/psi.h>
#include <dvbpsi/descriptor.h>
#include <dvbpsi/pat.h>
#include <dvbpsi/pmt.h>
#include <dvbpsi/demux.h>
#include <dvbpsi/sdt.h>
// clang-format on

namespace amt {
namespace {

constexpr std::uint8_t kRegistrationTag = 0x05;
constexpr std::uint8_t kServiceTag = 0x48;
/// EN 300 468 §5.2.3: the SDT of the stream that carries it.
constexpr std::uint8_t kActualSdt = 0x42;

struct Delete {
  void operator()(dvbpsi_t* handle) const { dvbpsi_delete(handle); }
};
using Handle = std::unique_ptr<dvbpsi_t, Delete>;

Handle make_handle() { return Handle(dvbpsi_new(nullptr, DVBPSI_MSG_NONE)); }

void push(const Handle& handle, Bytes packets) {
  std::array<std::uint8_t, kTsPacketOctets> packet{};
  for (; packets.size() >= kTsPacketOctets; packets = packets.subspan(kTsPacketOctets)) {
    std::ranges::transform(packets.first(kTsPacketOctets), packet.begin(),
                           [](std::byte octet) { return std::to_integer<std::uint8_t>(octet); });
    static_cast<void>(dvbpsi_packet_push(handle.get(), packet.data()));
  }
}

std::string text_of(const std::uint8_t* data, std::size_t octets) { return {data, data + octets}; }

using PatResult = std::optional<std::vector<PatEntry>>;
void take_pat(void* result, dvbpsi_pat_t* pat) {
  std::vector<PatEntry>& entries = static_cast<PatResult*>(result)->emplace();
  for (const dvbpsi_pat_program_t* program = pat->p_first_program; program != nullptr; program = program->p_next) {
    if (program->i_number != 0) entries.push_back({program->i_number, program->i_pid});
  }
  dvbpsi_pat_delete(pat);
}

using PmtResult = std::optional<std::vector<PmtEntry>>;
void take_pmt(void* result, dvbpsi_pmt_t* pmt) {
  std::vector<PmtEntry>& entries = static_cast<PmtResult*>(result)->emplace();
  for (const dvbpsi_pmt_es_t* stream = pmt->p_first_es; stream != nullptr; stream = stream->p_next) {
    PmtEntry& entry = entries.emplace_back(PmtEntry{.stream_type = stream->i_type, .pid = stream->i_pid});
    for (const dvbpsi_descriptor_t* one = stream->p_first_descriptor; one != nullptr; one = one->p_next) {
      entry.descriptor_tags.push_back(one->i_tag);
      constexpr std::size_t kNameOctets = 4;
      if (one->i_tag == kRegistrationTag && one->i_length >= kNameOctets) {
        entry.registration = text_of(one->p_data, kNameOctets);
      }
    }
  }
  dvbpsi_pmt_delete(pmt);
}

/// EN 300 468 §6.2.33: service_type, then the provider's and the service's name, each behind its length.
std::optional<std::string> service_name(const dvbpsi_descriptor_t& descriptor) {
  constexpr std::size_t kProviderAt = 1;
  if (descriptor.i_length <= kProviderAt) return std::nullopt;
  const std::size_t name_at = kProviderAt + 1U + descriptor.p_data[kProviderAt];
  if (name_at >= descriptor.i_length) return std::nullopt;
  const std::size_t octets = descriptor.p_data[name_at];
  if (name_at + 1 + octets > descriptor.i_length) return std::nullopt;
  return text_of(descriptor.p_data + name_at + 1, octets);
}

using SdtResult = std::optional<std::vector<std::string>>;
void take_sdt(void* result, dvbpsi_sdt_t* sdt) {
  std::vector<std::string>& names = static_cast<SdtResult*>(result)->emplace();
  for (const dvbpsi_sdt_service_t* service = sdt->p_first_service; service != nullptr; service = service->p_next) {
    for (const dvbpsi_descriptor_t* one = service->p_first_descriptor; one != nullptr; one = one->p_next) {
      if (one->i_tag != kServiceTag) continue;
      if (std::optional<std::string> name = service_name(*one)) names.push_back(std::move(*name));
    }
  }
  dvbpsi_sdt_delete(sdt);
}

void attach_sdt(dvbpsi_t* handle, std::uint8_t table, std::uint16_t extension, void* result) {
  if (table == kActualSdt) static_cast<void>(dvbpsi_sdt_attach(handle, table, extension, take_sdt, result));
}

}  // namespace

std::optional<std::vector<PatEntry>> decode_pat(Bytes packets) {
  PatResult result;
  const Handle handle = make_handle();
  if (!handle || !dvbpsi_pat_attach(handle.get(), take_pat, &result)) return std::nullopt;
  push(handle, packets);
  dvbpsi_pat_detach(handle.get());
  return result;
}

std::optional<std::vector<PmtEntry>> decode_pmt(Bytes packets, std::uint16_t program) {
  PmtResult result;
  const Handle handle = make_handle();
  if (!handle || !dvbpsi_pmt_attach(handle.get(), program, take_pmt, &result)) return std::nullopt;
  push(handle, packets);
  dvbpsi_pmt_detach(handle.get());
  return result;
}

std::optional<std::vector<std::string>> decode_sdt(Bytes packets) {
  SdtResult result;
  const Handle handle = make_handle();
  if (!handle || !dvbpsi_AttachDemux(handle.get(), attach_sdt, &result)) return std::nullopt;
  push(handle, packets);
  dvbpsi_DetachDemux(handle.get());
  return result;
}

}  // namespace amt
