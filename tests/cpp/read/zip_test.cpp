// ZIP archives that lie: directories and entries that contradict each other, and small files that would unpack into terabytes.
#include "inspect/read/guard_zip.hpp"

#include <chrono>

#include "inspect/read/wheel.hpp"
#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

void put(Bytes& out, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        out.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
}

void put(Bytes& out, const std::string& text) {
    const Bytes bytes = bytes_of(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

/// One entry of a hand-made archive: its own header with the contents, and its line in the directory.
struct Entry {
    std::string name;
    std::string contents = "x";
    std::string own_name = name;
    std::uint32_t size = 1;
};

Bytes own_header(const Entry& entry) {
    Bytes out;
    put(out, 0x04034B50, 4);
    put(out, 20, 4);  // version, no flags
    put(out, 0, 6);  // stored; time and date
    put(out, 0x8CDC1683, 4);  // the CRC of "x"
    put(out, entry.size, 4);
    put(out, entry.size, 4);
    put(out, entry.own_name.size(), 4);  // no extra field
    put(out, entry.own_name);
    return out;
}

Bytes directory_line(const Entry& entry, std::uint32_t offset) {
    Bytes out;
    put(out, 0x02014B50, 4);
    put(out, 20, 2);
    put(out, 20, 4);
    put(out, 0, 6);
    put(out, 0x8CDC1683, 4);
    put(out, entry.size, 4);
    put(out, entry.size, 4);
    put(out, entry.name.size(), 4);
    put(out, 0, 8);  // no comment, disk 0, attributes
    put(out, 0, 2);
    put(out, offset, 4);
    put(out, entry.name);
    return out;
}

void put_end(Bytes& out, std::uint64_t entries, std::uint64_t size, std::uint64_t offset) {
    put(out, 0x06054B50, 4);
    put(out, 0, 4);
    put(out, entries, 2);
    put(out, entries, 2);
    put(out, size, 4);
    put(out, offset, 4);
    put(out, 0, 2);
}

Bytes archive_of(const std::vector<Entry>& entries) {
    Bytes out;
    Bytes directory;
    for (const Entry& entry : entries) {
        const Bytes line = directory_line(entry, static_cast<std::uint32_t>(out.size()));
        directory.insert(directory.end(), line.begin(), line.end());
        const Bytes header = own_header(entry);
        out.insert(out.end(), header.begin(), header.end());
        put(out, entry.contents);
    }
    const std::size_t start = out.size();
    out.insert(out.end(), directory.begin(), directory.end());
    put_end(out, entries.size(), directory.size(), start);
    return out;
}

/// The same archive with the records that archives over 4 GB have.
Bytes with_zip64(const std::vector<Entry>& entries, std::uint64_t stated_entries, std::uint64_t end64_moved = 0) {
    Bytes out = archive_of(entries);
    const std::size_t end = out.size() - 22;
    const auto size = number_at<std::uint32_t>(out, end + 12);
    const auto offset = number_at<std::uint32_t>(out, end + 16);
    out.resize(end);
    put(out, 0x06064B50, 4);
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 8);  // disks
    put(out, stated_entries, 8);
    put(out, stated_entries, 8);
    put(out, size, 8);
    put(out, offset, 8);
    put(out, 0x07064B50, 4);
    put(out, 0, 4);
    put(out, end + end64_moved, 8);
    put(out, 1, 4);
    put_end(out, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF);
    return out;
}

std::string refused(const Bytes& wheel) {
    return message_of([&] { static_cast<void>(for_each_module(wheel, [](const WheelModule&) {})); });
}

}  // namespace

TEST(Zip, WholeOnesAreRead) {
    EXPECT_EQ(refused(archive_of({{"a.so"}, {"b.so"}})), "no error at all");
    EXPECT_EQ(refused(with_zip64({{"a.so"}, {"b.so"}}, 2)), "no error at all");
    const Bytes wheel = archive_of({{"a.so"}, {"b.py"}});
    EXPECT_EQ(guard_zip(ByteView(wheel), 10).at(1).name, "b.py");
}

TEST(Zip, EntriesThatShareTheirBytesAreABomb) {
    // Fifield's quoted overlap in its plainest form: every line of the directory leads to the one entry.
    Bytes out = own_header({"a.so"});
    put(out, std::string("x"));
    const std::size_t start = out.size();
    const Bytes line = directory_line({"a.so"}, 0);
    out.insert(out.end(), line.begin(), line.end());
    out.insert(out.end(), line.begin(), line.end());
    put_end(out, 2, line.size() * 2, start);
    EXPECT_EQ(refused(out), "the ZIP archive is a bomb: a.so and a.so share their bytes");
}

TEST(Zip, AnEntryInsideAnotherIsABomb) {
    const Entry inner{"b.so"};
    const Bytes quoted = own_header(inner);
    Bytes out = own_header({"a.so", "", "a.so", static_cast<std::uint32_t>(quoted.size() + 1)});
    const std::size_t at = out.size();
    out.insert(out.end(), quoted.begin(), quoted.end());
    put(out, std::string("x"));
    const std::size_t start = out.size();
    Bytes directory = directory_line({"a.so", "", "a.so", static_cast<std::uint32_t>(quoted.size() + 1)}, 0);
    const Bytes line = directory_line(inner, static_cast<std::uint32_t>(at));
    directory.insert(directory.end(), line.begin(), line.end());
    out.insert(out.end(), directory.begin(), directory.end());
    put_end(out, 2, directory.size(), start);
    EXPECT_EQ(refused(out), "the ZIP archive is a bomb: a.so and b.so share their bytes");
}

TEST(Zip, AHundredThousandLinesToOneEntryAreRefusedAtOnce) {
    Bytes out = own_header({"a.so"});
    put(out, std::string("x"));
    const std::size_t start = out.size();
    const Bytes line = directory_line({"a.so"}, 0);
    constexpr std::size_t lines = 60'000;
    for (std::size_t i = 0; i < lines; ++i) {
        out.insert(out.end(), line.begin(), line.end());
    }
    put_end(out, lines, line.size() * lines, start);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(refused(out), "the ZIP archive is a bomb: a.so and a.so share their bytes");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

TEST(Zip, CountsThatLieAreRefused) {
    EXPECT_EQ(refused(with_zip64({{"a.so"}}, std::uint64_t{1} << 40U)),
              "the file is damaged: the directory of the ZIP archive does not lie in it");
    Bytes wheel = archive_of({{"a.so"}, {"a.py"}});
    set_number<std::uint32_t>(wheel, wheel.size() - 22 - 50, 0);  // the second line's signature
    EXPECT_EQ(refused(wheel), "the file is damaged: the directory of the ZIP archive has 1 entries, not 2");
    EXPECT_EQ(message_of([] {
                  const Bytes three = archive_of({{"a.so"}, {"b.so"}, {"c.so"}});
                  static_cast<void>(guard_zip(ByteView(three), 2));
              }),
              "the ZIP archive has 3 entries, and no more than 2 are read");
}

TEST(Zip, Zip64RecordsThatLieAreRefused) {
    EXPECT_EQ(refused(with_zip64({{"a.so"}}, 1, 8)),
              "the file is damaged: the ZIP archive has a ZIP64 locator that leads to no ZIP64 record");
    Bytes wheel = with_zip64({{"a.so"}}, 1);
    set_number<std::uint16_t>(wheel, wheel.size() - 12, 2);
    EXPECT_EQ(refused(wheel),
              "the file is damaged: the ZIP64 record of the ZIP archive says something else than its end record");
    wheel = archive_of({{"a.so"}});
    const std::size_t line = wheel.size() - 22 - 50;
    set_number<std::uint32_t>(wheel, line + 24, 0xFFFFFFFF);
    EXPECT_EQ(refused(wheel), "the file is damaged: a.so has a size of 64 bits in the ZIP archive that is not there");
}

TEST(Zip, SizesOf64BitsAreRead) {
    const auto archive_with = [](std::uint64_t size, std::uint16_t extra_size) {
        Bytes out = own_header({"a.so"});
        put(out, std::string("x"));
        const std::size_t start = out.size();
        Bytes line = directory_line({"a.so"}, 0);
        set_number<std::uint32_t>(line, 20, 0xFFFFFFFF);
        set_number<std::uint32_t>(line, 24, 0xFFFFFFFF);
        set_number<std::uint16_t>(line, 30, static_cast<std::uint16_t>(4 + extra_size));
        put(line, 1, 2);  // the field of ZIP64 (4.5.3): the sizes before and after compression
        put(line, extra_size, 2);
        for (unsigned i = 0; i < extra_size / 8U; ++i) {
            put(line, size, 8);
        }
        out.insert(out.end(), line.begin(), line.end());
        put_end(out, 1, line.size(), start);
        return out;
    };
    EXPECT_EQ(refused(archive_with(1, 16)), "no error at all");
    EXPECT_EQ(refused(archive_with(1, 8)),
              "the file is damaged: a.so has a size of 64 bits in the ZIP archive that is not there");
    EXPECT_EQ(refused(archive_with(std::uint64_t{1} << 63U, 16)),
              "the file is damaged: a.so does not have the size that the ZIP archive's directory says");
}

TEST(Zip, EntriesThatContradictTheDirectoryAreRefused) {
    EXPECT_EQ(refused(archive_of({{"a.so", "x", "b.so"}})),
              "the file is damaged: a.so has another name than the ZIP archive's directory says");
    EXPECT_EQ(refused(archive_of({{"a.so", "x", "a.so", 1000}})),
              "the file is damaged: a.so does not have the size that the ZIP archive's directory says");
    Bytes wheel = archive_of({{"a.so"}});
    set_number<std::uint32_t>(wheel, wheel.size() - 22 - 50 + 42, 1);
    EXPECT_EQ(refused(wheel), "the file is damaged: a.so is not where the ZIP archive's directory says");
}

TEST(Zip, ASecondDirectoryInTheCommentIsRefused) {
    // libzip takes the first end record that it finds; the last one is what everybody else reads.
    Bytes wheel = archive_of({{"a.so"}});
    Bytes second = archive_of({{"b.so"}});
    const auto end = wheel.size() - 22;
    set_number<std::uint16_t>(wheel, end + 20, static_cast<std::uint16_t>(second.size()));
    const auto moved = static_cast<std::uint32_t>(wheel.size());
    set_number<std::uint32_t>(second, second.size() - 6, number_at<std::uint32_t>(second, second.size() - 6) + moved);
    set_number<std::uint32_t>(second, second.size() - 22 - 4 - 4, moved);
    wheel.insert(wheel.end(), second.begin(), second.end());
    EXPECT_EQ(refused(wheel), "the file is damaged: entry 0 of the ZIP archive reads differently a second time");
}

}  // namespace nasm_build::inspect::test
