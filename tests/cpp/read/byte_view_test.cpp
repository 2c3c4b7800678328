// Bounded reading: what lies outside is an Error or a failed cursor, also where offset and length together overflow.
#include "base/byte_view.hpp"

#include "samples.hpp"

namespace nasm_build::inspect::test {

TEST(ByteView, LoadsInBothOrdersWithoutAlignment) {
    const Bytes bytes = bytes_of(std::string_view("\x00\x01\x02\x03\x04\x05\x06\x07\x08", 9));
    const ByteView view(bytes);
    EXPECT_EQ(view.load<std::uint32_t>(1), 0x04030201U);
    EXPECT_EQ(view.load<std::uint32_t>(1, std::endian::big), 0x01020304U);
    EXPECT_EQ(view.load<std::uint64_t>(1), 0x0807060504030201U);
}

TEST(ByteView, RefusesWhatDoesNotFit) {
    const Bytes bytes(8);
    const ByteView view(bytes);
    EXPECT_TRUE(view.holds(8, 0));
    EXPECT_FALSE(view.holds(9, 0));
    EXPECT_FALSE(view.holds(1, UINT64_MAX));
    EXPECT_FALSE(view.holds(UINT64_MAX, 2));
    EXPECT_EQ(message_of([&] { static_cast<void>(view.load<std::uint64_t>(1)); }),
              "the file is damaged: a table reaches past its end");
    EXPECT_EQ(message_of([&] { static_cast<void>(view.part(4, 5)); }),
              "the file is damaged: a table reaches past its end");
}

TEST(ByteView, TextEndsAtAZeroInTheView) {
    const Bytes bytes = bytes_of(std::string_view("ab\0cd", 5));
    const ByteView view(bytes);
    EXPECT_EQ(view.text(0), "ab");
    EXPECT_EQ(view.text(2), "");
    EXPECT_EQ(view.text(3), std::nullopt);
    EXPECT_EQ(view.text(5), std::nullopt);
}

TEST(Cursor, ReadsLeb128) {
    const Bytes bytes = bytes_of("\xE5\x8E\x26\x9B\xF1\x59\x7F");
    Cursor cursor{ByteView(bytes)};
    EXPECT_EQ(cursor.read_uleb(), 624485U);
    EXPECT_EQ(cursor.read_sleb(), -624485);
    EXPECT_EQ(cursor.read_sleb(), -1);
    EXPECT_TRUE(cursor.at_end());
    EXPECT_FALSE(cursor.failed());
}

TEST(Cursor, FailsOnLeb128OfMoreThan64Bits) {
    const Bytes largest = bytes_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
    Cursor good{ByteView(largest)};
    EXPECT_EQ(good.read_uleb(), UINT64_MAX);
    const Bytes larger = bytes_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02");
    Cursor bad{ByteView(larger)};
    static_cast<void>(bad.read_uleb());
    EXPECT_TRUE(bad.failed());
}

TEST(Cursor, StaysFailed) {
    const Bytes bytes(3);
    Cursor cursor{ByteView(bytes)};
    EXPECT_EQ(cursor.read<std::uint32_t>(), 0U);
    EXPECT_TRUE(cursor.failed());
    EXPECT_EQ(cursor.left(), 0U);
    EXPECT_EQ(cursor.read<std::uint8_t>(), 0U);
    EXPECT_EQ(cursor.read_text(), "");
}

}  // namespace nasm_build::inspect::test
