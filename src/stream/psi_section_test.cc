#include "stream/psi_section.hh"

#include <gmock/gmock.h>

#include "stream/test_stream.hh"

namespace amt {
namespace {

using test::Octets;
using test::octets;
using ::testing::ElementsAre;
using ::testing::SizeIs;

/// A PMT's content: one stream, HEVC by a registration_descriptor behind another descriptor.
const Octets kMap = octets({0xe1, 0x01, 0xf0, 0x02, 0x0e, 0x00,                   // PCR PID, program's loop
                            0x06, 0xe1, 0x02, 0xf0, 0x09,                         // the stream
                            0x52, 0x01, 0x07, 0x05, 0x04, 'H',  'E', 'V', 'C'});  // its descriptors
/// An SDT's content: a service named "Two", and one without a name.
const Octets kServices = octets({0x00, 0x01, 0xff,  // original_network_id
                                 0x00, 0x01, 0xfc, 0x80, 0x09, 0x48, 0x07, 0x01, 0x01, 'p',
                                 0x03, 'T',  'w',  'o',  0x00, 0x02, 0xfc, 0x80, 0x00});

TEST(PsiSection, HasTheFieldsOfItsHeader) {
  const Octets whole = test::section(octets({0x02, 0, 0, 0x12, 0x34, 0xc1, 0x05, 0x06, 0xaa, 0xbb}));
  const std::optional<PsiSection> section = parse_psi_section(whole);
  ASSERT_TRUE(section);
  EXPECT_EQ(section->table_id, kPmtTableId);
  EXPECT_EQ(section->extension, 0x1234);
  EXPECT_TRUE(section->is_current);
  EXPECT_EQ(section->number, 5);
  EXPECT_THAT(section->content, ElementsAre(std::byte{0xaa}, std::byte{0xbb}));
}

TEST(PsiSection, IsRefusedWhenAnyOctetIsAnother) {
  const Octets whole = test::pmt(0x1b, 0x101);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Octets changed = whole;
    changed[at] ^= std::byte{0x10};
    EXPECT_FALSE(parse_psi_section(changed)) << at;
  }
}

TEST(PsiSection, IsRefusedWhenItIsCut) {
  const Octets whole = test::pat(0x100);
  for (std::size_t octets = 0; octets < whole.size(); ++octets) {
    EXPECT_FALSE(parse_psi_section(Bytes(whole).first(octets))) << octets;
  }
}

TEST(PsiSection, PatListsProgramsWithoutTheNetwork) {
  const Octets content = octets({0x00, 0x00, 0xe0, 0x10, 0x00, 0x07, 0xff, 0xfe});
  const std::optional<std::vector<PatEntry>> entries = parse_pat(content);
  ASSERT_TRUE(entries);
  ASSERT_THAT(*entries, SizeIs(1));
  EXPECT_EQ(entries->front().program, 7);
  EXPECT_EQ(entries->front().pid, 0x1ffe);
}

TEST(PsiSection, PmtListsStreamsWithTheirDescriptors) {
  const std::optional<std::vector<PmtEntry>> entries = parse_pmt(kMap);
  ASSERT_TRUE(entries);
  ASSERT_THAT(*entries, SizeIs(1));
  EXPECT_EQ(entries->front().stream_type, 6);
  EXPECT_EQ(entries->front().pid, 0x102);
  EXPECT_THAT(entries->front().descriptor_tags, ElementsAre(0x52, 0x05));
  EXPECT_EQ(entries->front().registration, "HEVC");
}

TEST(PsiSection, SdtListsTheNamesOfServices) { EXPECT_THAT(parse_sdt(kServices).value(), ElementsAre("Two")); }

/// The CRC says that a section came as it was sent, not that its lengths are right.
TEST(PsiSection, ContentThatEndsInTheMiddleIsRefused) {
  constexpr std::size_t kWholePmtWithoutStreams = 6;
  for (std::size_t octets = 0; octets < kMap.size(); ++octets) {
    EXPECT_EQ(parse_pmt(Bytes(kMap).first(octets)).has_value(), octets == kWholePmtWithoutStreams) << octets;
  }
  constexpr std::size_t kWithoutServices = 3;
  constexpr std::size_t kOneService = 17;
  for (std::size_t octets = 0; octets < kServices.size(); ++octets) {
    EXPECT_EQ(parse_sdt(Bytes(kServices).first(octets)).has_value(),
              octets == kWithoutServices || octets == kOneService)
        << octets;
  }
  EXPECT_FALSE(parse_pat(octets({0x00, 0x01, 0xe1})));
}

/// The PMT with which libdvbpsi read past its end: a descriptor that is longer than the loop it stands in.
TEST(PsiSection, DescriptorBeyondItsLoopIsRefused) {
  EXPECT_FALSE(parse_pmt(octets({0xe1, 0x00, 0xf0, 0x00, 0x1b, 0xe1, 0x01, 0xf0, 0x02, 0x05, 0x40, 0xaa, 0xbb})));
  EXPECT_TRUE(parse_sdt(octets({0, 1, 0xff, 0, 1, 0xfc, 0x80, 0x04, 0x48, 0x02, 0x01, 0x09}))->empty());
}

}  // namespace
}  // namespace amt
