#include "base/state_record.hh"

#include <gtest/gtest.h>

#include "base/test_state.hh"

namespace amt {
namespace {

using test::saved;

enum class Light : std::uint8_t { kRed, kGreen };

/// One field of each kind.
struct Everything {
  bool flag = true;
  std::uint64_t number = 0x0123456789abcdefU;
  std::string text = "text";
  Light light = Light::kGreen;
  std::optional<Endpoint> endpoint = Endpoint::parse("192.0.2.1:2268", 0);
  std::vector<IpAddress> addresses = {*IpAddress::parse("2001:db8::1"), *IpAddress::parse("198.51.100.1")};
  std::map<std::uint16_t, Duration> durations = {{7, std::chrono::seconds(9)}};
  std::variant<std::uint32_t, Channel> either = Channel{std::nullopt, *IpAddress::parse("239.1.1.1")};
  Instant deadline = kNoDeadline;
  Instant moment{std::chrono::seconds(5)};

  friend bool operator==(const Everything&, const Everything&) = default;

  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.flag, self.number, self.text, self.endpoint, self.addresses, self.durations, self.either, self.deadline);
    io.choice(self.light, Light::kGreen);
    io.moments(self.moment);
  }
};

const Instant kNow{std::chrono::hours(1)};

StateOctets record_of(const Everything& all) {
  return saved(kNow, [&](StateRecordWriter& out) { out(all); });
}

TEST(StateRecord, GivesEachFieldAsItWas) {
  const Everything written;
  Everything read{.flag = false, .number = 0, .text = "", .light = Light::kRed, .endpoint = {}, .addresses = {}};
  const StateOctets octets = record_of(written);
  StateRecordReader in(octets, kNow);
  in(read);
  EXPECT_TRUE(in.is_good());
  EXPECT_EQ(read, written);
}

TEST(StateRecord, IsBadWhereAnythingIsMissingOrLeft) {
  const StateOctets octets = record_of({});
  for (std::size_t size = 0; size < octets.size(); ++size) {
    StateRecordReader in(Bytes(octets).first(size), kNow);
    Everything read;
    in(read);
    EXPECT_FALSE(in.is_good()) << size;
  }
  StateOctets longer = octets;
  longer.push_back(std::byte{0});
  StateRecordReader in(longer, kNow);
  Everything read;
  in(read);
  EXPECT_FALSE(in.is_good());
}

/// A value that nothing could have written.
template <typename Take>
bool is_refused(const StateOctets& octets, const Take& take) {
  StateRecordReader in(octets, kNow);
  take(in);
  return !in.is_good();
}

TEST(StateRecord, RefusesTimesThatNobodyCanReckonWith) {
  const StateOctets end = saved(kNow, [](StateRecordWriter& out) { out.time(kNoDeadline); });
  Instant at;
  EXPECT_FALSE(is_refused(end, [&](StateRecordReader& in) { in(at); }));
  EXPECT_TRUE(is_refused(end, [&](StateRecordReader& in) { in.moments(at); }));
  const StateOctets far = saved(kNow, [](StateRecordWriter& out) { out.u64(std::uint64_t{1} << 62); });
  EXPECT_TRUE(is_refused(far, [&](StateRecordReader& in) { in(at); }));
  Duration span{};
  EXPECT_TRUE(is_refused(far, [&](StateRecordReader& in) { in(span); }));
}

TEST(StateRecord, RefusesAChoiceThatIsNone) {
  const StateOctets octets = saved(kNow, [](StateRecordWriter& out) { out.u8(2); });
  Light light{};
  EXPECT_TRUE(is_refused(octets, [&](StateRecordReader& in) { in.choice(light, Light::kGreen); }));
  EXPECT_EQ(light, Light::kRed);
  bool flag = false;
  EXPECT_TRUE(is_refused(octets, [&](StateRecordReader& in) { in(flag); }));
}

TEST(StateRecord, TakesNoMemoryForACountThatIsNotTrue) {
  const StateOctets octets = saved(kNow, [](StateRecordWriter& out) { out.count(0xffff'ffff); });
  std::vector<IpAddress> addresses;
  EXPECT_TRUE(is_refused(octets, [&](StateRecordReader& in) { in(addresses); }));
  EXPECT_EQ(addresses.capacity(), 0U);
}

}  // namespace
}  // namespace amt
