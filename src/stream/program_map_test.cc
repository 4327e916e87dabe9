#include "stream/program_map.hh"

#include <gmock/gmock.h>

#include "stream/test_stream.hh"

namespace amt {
namespace {

using test::Octets;
using test::octets;

constexpr int kMapPid = 0x100;

class ProgramMaps : public testing::Test {
 protected:
  /// `section` in the next packet of `pid`.
  void add(int pid, const Octets& section) {
    const Octets packet = test::table_packet(pid, continuity_++, section);
    map_.add(packet, TsPacketView::parse(packet));
  }

  ProgramMap map_;

 private:
  int continuity_ = 0;
};

Octets pat_of_two() {
  return test::section(
      octets({0x00, 0, 0, 0x00, 0x01, 0xc1, 0x00, 0x00, 0x00, 0x01, 0xe1, 0x00, 0x00, 0x02, 0xe1, 0x00}));
}

Octets pmt_of(int program, int stream_type, int pid) {
  Octets content = octets({0x02, 0, 0, 0x00, program, 0xc1, 0x00, 0x00, 0xff, 0xff, 0xf0, 0x00, stream_type,
                           0xe0 | pid >> 8, pid & 0xff, 0xf0, 0x00});
  return test::section(std::move(content));
}

TEST_F(ProgramMaps, FollowTheMapsOfTwoProgramsOnOnePid) {
  add(0, pat_of_two());
  add(kMapPid, pmt_of(1, 0x1b, 0x101));
  add(kMapPid, pmt_of(2, 0x24, 0x102));
  ASSERT_EQ(map_.programs().size(), 2U);
  EXPECT_EQ(map_.programs()[0].streams.at(0).kind, StreamKind::kH264);
  EXPECT_EQ(map_.programs()[1].streams.at(0).kind, StreamKind::kHevc);
  EXPECT_EQ(map_.bad_tables(), 0U);
}

/// An SDT of another stream, the next version of a PAT, its second section: each is right, and none is for now.
TEST_F(ProgramMaps, LeaveOutSectionsOfNoConcern) {
  add(0x11, test::section(octets({0x46, 0, 0, 0, 1, 0xc1, 0, 0, 0, 1, 0xff})));
  add(0, test::section(octets({0x00, 0, 0, 0, 1, 0xc0, 0, 0, 0, 1, 0xe1, 0x00})));
  add(0, test::section(octets({0x00, 0, 0, 0, 1, 0xc1, 1, 1, 0, 1, 0xe1, 0x00})));
  add(kMapPid, test::pmt(0x1b, 0x101));
  EXPECT_TRUE(map_.programs().empty());
  EXPECT_EQ(map_.bad_tables(), 0U);
}

TEST_F(ProgramMaps, KeepTheLastGoodMapBesideABrokenOne) {
  add(0, test::pat(kMapPid));
  add(kMapPid, test::pmt(0x1b, 0x101));
  add(kMapPid,
      test::section(octets({0x02, 0, 0, 0, 1, 0xc1, 0, 0, 0xe1, 0x01, 0xf3, 0xff, 0x1b, 0xe1, 0x01, 0xf0, 0x00})));
  ASSERT_EQ(map_.programs().size(), 1U);
  EXPECT_EQ(map_.bad_tables(), 1U);
}

}  // namespace
}  // namespace amt
