// Wheels: modules are found and read as a stream; what could harm the reader or the one who unpacks it is refused.
#include "inspect/read/wheel.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <chrono>

#include "samples.hpp"

namespace nasm_build::inspect::test {

namespace {

struct Member {
    std::string name;
    std::string content;
    bool encrypted = false;
};

/// An archive made by libzip in memory.
Bytes archive_of(const std::vector<Member>& members) {
    zip_error_t problem;
    zip_error_init(&problem);
    zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &problem);
    zip_source_keep(target);
    zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, &problem);
    for (const Member& member : members) {
        zip_source_t* source = zip_source_buffer(archive, member.content.data(), member.content.size(), 0);
        const zip_int64_t index = zip_file_add(archive, member.name.c_str(), source, ZIP_FL_ENC_UTF_8);
        EXPECT_GE(index, 0) << member.name;
        if (member.encrypted) {
            EXPECT_EQ(zip_file_set_encryption(archive, static_cast<zip_uint64_t>(index), ZIP_EM_AES_256, "secret"), 0);
        }
    }
    EXPECT_EQ(zip_close(archive), 0) << zip_strerror(archive);
    zip_source_open(target);
    zip_source_seek(target, 0, SEEK_END);
    Bytes bytes(static_cast<std::size_t>(zip_source_tell(target)));
    zip_source_seek(target, 0, SEEK_SET);
    EXPECT_EQ(zip_source_read(target, bytes.data(), bytes.size()), static_cast<zip_int64_t>(bytes.size()));
    zip_source_close(target);
    zip_source_free(target);
    return bytes;
}

std::string refused(const Bytes& wheel, const WheelLimits& limits = {}) {
    return message_of([&] {
        static_cast<void>(for_each_module(
            wheel, [](const WheelModule&) {}, limits));
    });
}

std::vector<std::string> modules_of(const Bytes& wheel) {
    std::vector<std::string> names;
    static_cast<void>(for_each_module(wheel, [&](const WheelModule& module) {
        names.emplace_back(module.name);
        EXPECT_EQ(read_images(module.bytes).size(), 1U) << module.name;
    }));
    return names;
}

/// Replaces every occurrence: names stand in the entry and in the directory.
void replace(Bytes& bytes, std::string_view from, std::string_view to) {
    ASSERT_EQ(from.size(), to.size());
    const Bytes pattern = bytes_of(from);
    const Bytes value = bytes_of(to);
    std::size_t found = 0;
    for (auto at = bytes.begin(); (at = std::search(at, bytes.end(), pattern.begin(), pattern.end())) != bytes.end();
         ++found) {
        at = std::copy(value.begin(), value.end(), at);
    }
    ASSERT_GT(found, 0U);
}

const std::vector<std::string> expected_modules = {"pkg/module.cpython-313-x86_64-linux-gnu.so",
                                                   "pkg/module.cp313-win_amd64.pyd", "pkg.libs/libplain.so.1.2"};

}  // namespace

TEST(Wheel, GivesEveryModule) {
    EXPECT_EQ(modules_of(sample("deflated.whl")), expected_modules);
    EXPECT_EQ(modules_of(sample("stored.whl")), expected_modules);
    EXPECT_EQ(modules_of(sample("zip64.whl")), expected_modules);
}

TEST(Wheel, TheBytesAreThoseThatWerePacked) {
    Bytes unpacked;
    static_cast<void>(for_each_module(sample("deflated.whl"), [&](const WheelModule& module) {
        if (module.name.ends_with(".pyd")) {
            unpacked.assign(module.bytes.begin(), module.bytes.end());
        }
    }));
    EXPECT_EQ(unpacked, sample("module_win.pyd"));
}

TEST(Wheel, ListsItsEntries) {
    const std::vector<WheelEntry> entries = wheel_entries(sample("stored.whl"));
    ASSERT_EQ(entries.size(), 5U);
    EXPECT_EQ(entries[0].name, "pkg/__init__.py");
    EXPECT_EQ(entries[0].size, 0U);
    EXPECT_EQ(entries[1].size, sample("module.so").size());
    EXPECT_EQ(bytes_of("Wheel-Version: 1.0\n"), wheel_file(sample("stored.whl"), "pkg-1.0.dist-info/WHEEL"));
    EXPECT_EQ(message_of([] { static_cast<void>(wheel_file(sample("stored.whl"), "other")); }),
              "the ZIP archive has no entry other");
}

TEST(Wheel, KnowsModulesByTheirNames) {
    for (const char* name : {"a.so", "p/a.cpython-313-x86_64-linux-gnu.so", "a.abi3.so", "libx.so.1", "libx.so.1.2.3",
                             "a.pyd", "a.PYD", "x.libs/msvcp140.dll", "a.dylib"}) {
        EXPECT_TRUE(is_module_name(name)) << name;
    }
    for (const char* name :
         {"a.py", ".so", "so", "a.so.py", "a.so.", "a.so.1.", "libx.so.1a", "a.asm", "pyd", "a.so/x.py"}) {
        EXPECT_FALSE(is_module_name(name)) << name;
    }
}

TEST(Wheel, OtherFilesAreRefused) {
    EXPECT_EQ(refused({}), "the file is empty");
    EXPECT_EQ(refused(bytes_of("hello\n")), "the file is text, not a ZIP archive");
    EXPECT_EQ(refused(bytes_of("\x1F\x8B rest")), "the file is gzip-compressed data, not a ZIP archive");
    EXPECT_EQ(refused(sample("module.so")), "the file is not a ZIP archive");
}

TEST(Wheel, ACutOneIsRefused) {
    Bytes wheel = sample("deflated.whl");
    wheel.resize(wheel.size() / 2);
    EXPECT_EQ(refused(wheel), "the file is cut: the ZIP archive has no directory at its end");
    wheel = sample("deflated.whl");
    wheel.erase(wheel.begin() + 1000, wheel.begin() + 1100);
    EXPECT_EQ(refused(wheel), "the file is damaged: the directory of the ZIP archive does not lie in it");
}

TEST(Wheel, DamagedContentsAreRefused) {
    Bytes wheel = sample("stored.whl");
    wheel[2000] ^= std::byte{1};
    EXPECT_EQ(refused(wheel),
              "the file is damaged: pkg/module.cpython-313-x86_64-linux-gnu.so cannot be read from the ZIP "
              "archive (CRC error)");
}

TEST(Wheel, NamesThatLeadElsewhereAreRefused) {
    const auto with_name = [](std::string_view name) {
        Bytes wheel = archive_of({{"safe/path/name.so", "x"}});
        replace(wheel, "safe/path/name.so", name);
        return refused(wheel);
    };
    EXPECT_EQ(with_name("/safe/ath/name.so"), "the ZIP archive has an entry with an absolute name: /safe/ath/name.so");
    EXPECT_EQ(with_name("C:/e/path/name.so"), "the ZIP archive has an entry with an absolute name: C:/e/path/name.so");
    EXPECT_EQ(with_name("safe/path/../e.so"),
              "the ZIP archive has an entry whose name leads out of the archive: safe/path/../e.so");
    EXPECT_EQ(with_name("../././path/na.so"),
              "the ZIP archive has an entry whose name leads out of the archive: ../././path/na.so");
    EXPECT_EQ(
        with_name("safe\\path\\name.so"),
        "the ZIP archive has an entry whose name has a backslash or a control character in it: safe\\path\\name.so");
    EXPECT_EQ(
        with_name("safe/path\nname.so"),
        "the ZIP archive has an entry whose name has a backslash or a control character in it: safe/path?name.so");
    EXPECT_EQ(with_name("safe/pa../name.so"), "no error at all");
}

TEST(Wheel, AnEntryThatIsThereTwiceIsRefused) {
    Bytes wheel = archive_of({{"one.so", "x"}, {"two.so", "y"}});
    replace(wheel, "two.so", "one.so");
    EXPECT_EQ(refused(wheel), "the file is damaged: the ZIP archive has the entry one.so twice");
}

TEST(Wheel, ItsMetadataIsReadWhereItIs) {
    const WheelMetadata found = wheel_metadata(archive_of({{"p-1.dist-info/WHEEL", "Tag: x"},
                                                           {"p-1.dist-info/licenses/RECORD", "not this one"},
                                                           {"pkg/METADATA", "nor this"},
                                                           {"p-1.dist-info/RECORD", "a.py,,"}}));
    EXPECT_EQ(found.statement, "Tag: x");
    EXPECT_EQ(found.metadata, std::nullopt);
    EXPECT_EQ(found.record, "a.py,,");
    WheelLimits limits;
    limits.module_size = 5;
    EXPECT_EQ(message_of([&] {
                  static_cast<void>(wheel_metadata(archive_of({{"p-1.dist-info/WHEEL", "Tag: x"}}), limits));
              }),
              "p-1.dist-info/WHEEL has more than 5 bytes");
}

TEST(Wheel, AnEncryptedModuleIsRefused) {
    EXPECT_EQ(refused(archive_of({{"a.so", "content", true}})), "a.so is encrypted in the ZIP archive");
}

TEST(Wheel, LimitsHold) {
    const Bytes wheel = archive_of({{"a.so", std::string(3000, 'a')}, {"b.so", std::string(3000, 'b')}, {"c.py", "c"}});
    WheelLimits limits;
    limits.entries = 2;
    EXPECT_EQ(refused(wheel, limits), "the ZIP archive has 3 entries, and no more than 2 are read");
    limits = {};
    limits.module_size = 2999;
    EXPECT_EQ(refused(wheel, limits), "a.so has more than 2999 bytes");
    limits = {};
    limits.total_size = 5999;
    EXPECT_EQ(refused(wheel, limits), "the modules in the ZIP archive have more than 5999 bytes together");
    limits.total_size = 6000;
    EXPECT_EQ(refused(wheel, limits), "no error at all");
}

TEST(Wheel, ABombIsRefused) {
    const Bytes wheel = archive_of({{"a.so", std::string(std::size_t{8} << 20U, '\0')}});
    EXPECT_EQ(refused(wheel), "a.so is compressed more than 100 times");
    WheelLimits limits;
    limits.compression_ratio = 1000;
    EXPECT_EQ(refused(wheel, limits), "no error at all") << "DEFLATE makes 1029 times of zeros";
}

TEST(Wheel, ABombOfManyModulesIsRefused) {
    std::vector<Member> members;
    for (int i = 0; i < 40; ++i) {
        members.push_back({fmt::format("m{}.so", i), std::string(std::size_t{2} << 20U, '\0')});
    }
    EXPECT_EQ(refused(archive_of(members)),
              "the modules in the ZIP archive are compressed more than 100 times together");
}

TEST(Wheel, WhatTheVisitorThrowsPassesThrough) {
    EXPECT_EQ(message_of([] {
                  static_cast<void>(
                      for_each_module(sample("stored.whl"), [](const WheelModule&) { throw Error("of the visitor"); }));
              }),
              "of the visitor");
}

}  // namespace nasm_build::inspect::test
