/// AMTRELAY records and domain names: what parses writes back to the same octets, and its text to the same record.
/// DNS-SD: whatever is answered, in whatever order, the search keeps to its bounds and ends.

#include <algorithm>

#include "allocations.hh"
#include "discovery/amtrelay.hh"
#include "discovery/service_search.hh"
#include "fuzz_target.hh"

namespace amt {
namespace {

/// A name is kept twice, and copied on its way.
constexpr fuzz::ParserBound kParseBound{2048, 32};

void check_record(Bytes rdata) {
  const auto record = fuzz::within(kParseBound, rdata.size(), [&] { return AmtRelay::parse(rdata); });
  if (!record) return;
  AMT_ASSERT(std::ranges::equal(record->rdata(), rdata));
  AMT_ASSERT(AmtRelay::parse_text(record->to_string()) == record);
  AMT_ASSERT(AmtRelay::parse_text(record->to_unknown_type_string()) == record);
}

void check_text(std::string_view text) {
  const auto parsed = fuzz::within(kParseBound, text.size(), [&] { return AmtRelay::parse_text(text); });
  if (const auto& record = parsed) AMT_ASSERT(AmtRelay::parse(record->rdata()) == record);
  if (const auto name = DomainName::parse(text)) {
    AMT_ASSERT(DomainName::parse(name->to_string()) == name);
    AMT_ASSERT(DomainName::from_wire(name->wire()) == name);
  }
}

/// What a search may ask of the heap for one answer: names are copied, and compared by their whole service names.
constexpr fuzz::ParserBound kAnswerBound{1 << 20, 64};

/// An answer of up to eight records, each with its length before it.
ServiceAnswer next_answer(ByteReader& in) {
  ServiceAnswer answer;
  const std::uint8_t head = fuzz::next_u8(in);
  for (unsigned i = 0; i < (head & 7U); ++i) answer.records.push_back(fuzz::next_bytes(in, fuzz::next_u8(in)));
  answer.ttl_seconds = fuzz::next_u16(in);
  answer.denied = (head & 8U) != 0;
  if (answer.records.empty()) answer.problem = "none";
  return answer;
}

void check_bounds(const ServiceSearch& search) {
  AMT_ASSERT(search.domains().size() <= ServiceSearch::kDomainsMax);
  AMT_ASSERT(search.relays().size() <= ServiceSearch::kRelaysMax);
  AMT_ASSERT(search.options().size() <= ServiceSearch::kOptionsMax);
  for (const RelayOption& option : search.options()) {
    AMT_ASSERT(option.port != 0 && !option.destination.address.is_multicast());
    AMT_ASSERT(!option.destination.address.is_unspecified());
  }
}

void check_search(Bytes octets) {
  ByteReader in(octets);
  SeededRandom random(fuzz::next_u8(in));
  const DomainName domain = *DomainName::parse("example.net");
  ServiceSearch search(random);
  Instant now{};
  search.start(now, {{domain}, {domain}});
  std::vector<ServiceQuestion> open;
  std::size_t questions = 0;
  while (in.has(1)) {
    while (const std::optional<ServiceQuestion> question = search.poll_question()) {
      open.push_back(*question);
      ++questions;
    }
    AMT_ASSERT(questions <= ServiceSearch::kQuestionsMax);
    const std::uint8_t what = fuzz::next_u8(in);
    if (what == 0xff) {
      now = std::max(now, std::min(search.next_deadline(), now + std::chrono::hours(2)));
      search.handle_timeout(now);
      if (search.is_start_due(now)) {
        if ((fuzz::next_u8(in) & 1U) != 0) search.forget();
        search.start(now, {{domain}, {domain}});
        questions = 0;
      }
    } else if (!open.empty()) {
      // Late and repeated answers, too: what was asked stays where it is.
      const ServiceAnswer answer = next_answer(in);
      const ServiceQuestion& question = open[what % open.size()];
      fuzz::within(kAnswerBound, octets.size(), [&] {
        search.handle_answer(now, question, answer);
        return true;
      });
    }
    check_bounds(search);
  }
  AMT_ASSERT(search.next_deadline() < kNoDeadline);
  search.handle_timeout(now + ServiceSearch::kPatience);
  AMT_ASSERT(!search.is_searching());
  static_cast<void>(search.problem());
}

}  // namespace
}  // namespace amt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const amt::Bytes input = amt::fuzz::input(data, size);
  amt::check_record(input);
  amt::check_text({reinterpret_cast<const char*>(data), size});
  amt::check_search(input);
  return 0;
}
