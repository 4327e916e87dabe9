#include "sap/sap_counters.hh"

namespace amt {
namespace {

constexpr CounterTable<SapCounter> kTable = {{
    {SapCounter::kAnnouncements, own_counter("announcements", "messages", "Announcements of sessions that were taken")},
    {SapCounter::kDeletions, own_counter("deletions", "messages", "Sessions that their announcer took back")},
    {SapCounter::kSigned, own_counter("signed", "messages",
                                      "Announcements with authentication data, which is not checked; they count as "
                                      "others do")},
    {SapCounter::kExpired,
     own_counter("expired", "sessions", "Sessions that were not announced any more, or are over")},
    {SapCounter::kMalformed, reject_counter("reject_malformed", "messages", "Neither SAP nor a session description",
                                            "Somebody sends other things to the groups of announcements.")},
    {SapCounter::kTooLarge, reject_counter("reject_too_large", "messages", "Announcements of more than 4096 octets",
                                           "RFC 2974 wants at most 1024; shorten the description.")},
    {SapCounter::kVersion, reject_counter("reject_version", "messages", "Of another version of SAP than 1",
                                          "The announcer is older than RFC 2974.")},
    {SapCounter::kEncrypted, reject_counter("reject_encrypted", "messages", "Encrypted announcements",
                                            "RFC 2974 advises against encryption; announce in the clear.")},
    {SapCounter::kCompressed,
     reject_counter("reject_compressed", "messages", "Compressed announcements", "Announce without compression.")},
    {SapCounter::kPayloadType,
     reject_counter("reject_payload_type", "messages", "Announcements of something else than SDP",
                    "None; they are for other programs.")},
    {SapCounter::kNoStream,
     reject_counter(
         "reject_no_stream", "messages", "Sessions without MPEG-TS over UDP or RTP on a group of their own",
         "None for audio and video in streams of their own; a source-specific group needs a=source-filter.")},
    {SapCounter::kEnded, reject_counter("reject_ended", "messages", "Sessions whose end has passed",
                                        "Compare the clocks of this host and of the announcer.")},
    {SapCounter::kForeign,
     reject_counter("reject_foreign", "messages", "Changes and deletions by another host than the one that announces",
                    "If the announcer has moved, the old session times out; else somebody forges announcements.")},
    {SapCounter::kFull, reject_counter("reject_full", "messages", "Sessions beyond what is kept in all, or of one host",
                                       "See who announces so many; others keep their entries.")},
    {SapCounter::kRate,
     reject_counter("reject_rate", "messages", "Announcements beyond 100 a second of one host, or 2000 of all",
                    "Somebody floods the groups of announcements; RFC 2974 wants 4 kbit/s.")},
}};
static_assert(is_complete(kTable));

}  // namespace

const CounterInfo& counter_info(SapCounter which) { return info_in(kTable, which); }

}  // namespace amt
