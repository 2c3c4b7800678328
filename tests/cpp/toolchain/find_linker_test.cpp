// The search for a linker among fakes: shell scripts that answer `--version` as the programs that people have do.
#include "toolchain/find_linker.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "scratch_folder.hpp"
#include "toolchain/install_command.hpp"

#ifndef _WIN32

namespace nasm_build::toolchain {
namespace {

using namespace std::chrono_literals;

const std::string good = "echo 'LLD 19.1.7'";
const std::string old = "echo 'LLD 13.0.1'";
// zig has LLVM's linker for Windows as a command of its own, and links for macOS by itself.
const std::string zig =
    R"(case "$*" in 'lld-link --version') echo 'LLD 22.1.8';; version) echo 0.17.1;; *) exit 9;; esac)";

Target windows() {
    return find_target("win-amd64");
}

Target macos() {
    return find_target("macosx-11.0-x86_64");
}

LinkerPlaces on_path(const std::vector<std::string>& folders) {
    LinkerPlaces places;
    places.search_path = folders;
    return places;
}

// Why the only candidate for Windows was passed over.
std::string reason_for(const std::string& file, const Target& target = windows()) {
    LinkerPlaces places;
    places.setting = file;
    places.time_limit = 300ms;
    const LinkerSearch search = find_linker(target, places);
    if (search.rejected.size() != 1 || search.linker) {
        return "not rejected";
    }
    EXPECT_EQ(search.rejected[0].path, file);
    EXPECT_EQ(search.rejected[0].origin, LinkerOrigin::setting);
    EXPECT_EQ(search.error,
              "the setting linker names " + file + ", which cannot be used: " + search.rejected[0].reason);
    return search.rejected[0].reason;
}

TEST(FindLinker, TakesTheFirstUsableOneOfPath) {
    const ScratchFolder scratch;
    scratch.script("a/lld-link", "echo 'Microsoft (R) Incremental Linker'");
    scratch.script("b/lld-link", old);
    scratch.script("c/lld-link", "echo 'Debian LLD 14.0.6'");
    scratch.script("d/lld-link", good);
    const LinkerSearch search = find_linker(
        windows(),
        on_path({scratch.text("a"), scratch.text("nowhere"), scratch.text("b"), scratch.text("c"), scratch.text("d")}));
    ASSERT_TRUE(search.linker.has_value());
    EXPECT_EQ(search.linker->words, std::vector<std::string>{scratch.text("c/lld-link")});
    EXPECT_EQ(search.linker->kind, LinkerKind::lld_link);
    EXPECT_EQ(search.linker->version, "14.0.6");
    EXPECT_EQ(search.linker->origin, LinkerOrigin::search_path);
    EXPECT_EQ(search.error, "");
    EXPECT_EQ(search.fix, "");
    ASSERT_EQ(search.rejected.size(), 2U);
    EXPECT_EQ(search.rejected[0].path, scratch.text("a/lld-link"));
    EXPECT_EQ(search.rejected[0].reason,
              "it is not LLVM's lld: `--version` printed \"Microsoft (R) Incremental Linker\"");
    EXPECT_EQ(search.rejected[1].path, scratch.text("b/lld-link"));
    EXPECT_EQ(search.rejected[1].reason, "it is lld 13.0.1, and 14 is the oldest that is used");
}

TEST(FindLinker, LooksForTheNameOfTheTargetsFormat) {
    const ScratchFolder scratch;
    scratch.script("lld-link", good);
    scratch.script("ld64.lld", good);
    const LinkerPlaces places = on_path({scratch.path().string()});
    const LinkerSearch for_windows = find_linker(windows(), places);
    ASSERT_TRUE(for_windows.linker.has_value());
    EXPECT_EQ(for_windows.linker->words, std::vector<std::string>{scratch.text("lld-link")});
    EXPECT_EQ(for_windows.linker->kind, LinkerKind::lld_link);
    for (const char* platform : {"macosx-11.0-x86_64", "macosx-11.0-universal2"}) {
        const LinkerSearch for_macos = find_linker(find_target(platform), places);
        ASSERT_TRUE(for_macos.linker.has_value());
        EXPECT_EQ(for_macos.linker->words, std::vector<std::string>{scratch.text("ld64.lld")});
        EXPECT_EQ(for_macos.linker->kind, LinkerKind::ld64);
    }
}

TEST(FindLinker, SaysWhyEachIsNoUse) {
    const ScratchFolder scratch;
    EXPECT_EQ(reason_for(scratch.text("nothing")), "there is no such file");
    std::filesystem::create_directory(scratch.path() / "folder");
    EXPECT_EQ(reason_for(scratch.text("folder")), "it is a folder");
    EXPECT_EQ(reason_for(scratch.write("text", "LLD 19.1.7")), "it is not executable");
    std::filesystem::create_symlink(scratch.path() / "gone", scratch.path() / "link");
    EXPECT_EQ(reason_for(scratch.text("link")), "it is a link to a file that is not there");
    const std::string binary = scratch.write("binary",
                                             "\x7f"
                                             "ELF and no more");
    std::filesystem::permissions(binary, std::filesystem::perms::owner_all);
    EXPECT_EQ(reason_for(binary), "it could not be started: Exec format error");
    EXPECT_EQ(reason_for(scratch.script("hang", "sleep 60")), "it did not answer `--version` within 0.3 s");
    EXPECT_EQ(reason_for(scratch.script("killed", "kill -KILL $$")),
              "it was ended by SIGKILL when asked for its version");
    EXPECT_EQ(reason_for(scratch.script("silent", "exit 0")), "it is not LLVM's lld: `--version` printed nothing");
    EXPECT_EQ(reason_for(scratch.script("failing", good + "; exit 3")),
              "`--version` ended with exit status 3 and printed \"LLD 19.1.7\"");
    // What lld itself says where its name is none of a linker's.
    EXPECT_EQ(reason_for(scratch.script("lld", "echo 'lld is a generic driver.'; exit 1")),
              "`--version` ended with exit status 1 and printed \"lld is a generic driver.\"");
    EXPECT_EQ(reason_for(scratch.script("gnu", "echo 'GNU ld (GNU Binutils for Debian) 2.40'")),
              "it is not LLVM's lld: `--version` printed \"GNU ld (GNU Binutils for Debian) 2.40\"");
    EXPECT_EQ(reason_for(scratch.script("strange", "echo 'LLD of today'")),
              "it is not LLVM's lld: `--version` printed \"LLD of today\"");
    EXPECT_EQ(reason_for(scratch.script("huge", "echo 'LLD 99999999999999999999.0'")),
              "it is not LLVM's lld: `--version` printed \"LLD 99999999999999999999.0\"");
    EXPECT_EQ(reason_for(scratch.script("old", old)), "it is lld 13.0.1, and 14 is the oldest that is used");
}

TEST(FindLinker, RefusesLldOfAnotherFormat) {
    const ScratchFolder scratch;
    const std::string elf = scratch.script("ld.lld", "echo 'Debian LLD 14.0.6 (compatible with GNU linkers)'");
    const std::string link = scratch.script("lld-link-19", good);
    const std::string ld64 = scratch.script("ld64.lld-19", good);
    EXPECT_EQ(reason_for(elf), "it is lld for another platform: lld-link is wanted");
    EXPECT_EQ(reason_for(ld64), "it is lld for another platform: lld-link is wanted");
    EXPECT_EQ(reason_for(elf, macos()), "it is lld for another platform: ld64.lld is wanted");
    EXPECT_EQ(reason_for(link, macos()), "it is lld for another platform: ld64.lld is wanted");
    EXPECT_EQ(reason_for(link), "not rejected");
    EXPECT_EQ(reason_for(ld64, macos()), "not rejected");
}

TEST(FindLinker, AsksTheSettingThenTheVariableThenPathThenUsualPlacesThenZiglang) {
    const ScratchFolder scratch;
    LinkerPlaces places;
    places.zig = scratch.script("zig", zig);
    places.usual_places = {scratch.text("usual")};
    places.search_path = {scratch.text("path")};
    EXPECT_EQ(find_linker(windows(), places).linker->origin, LinkerOrigin::ziglang);
    scratch.script("usual/lld-link", good);
    EXPECT_EQ(find_linker(windows(), places).linker->origin, LinkerOrigin::usual_place);
    scratch.script("path/lld-link", good);
    EXPECT_EQ(find_linker(windows(), places).linker->origin, LinkerOrigin::search_path);
    places.variable = scratch.script("variable", good);
    EXPECT_EQ(find_linker(windows(), places).linker->origin, LinkerOrigin::variable);
    places.setting = scratch.script("setting", good);
    EXPECT_EQ(find_linker(windows(), places).linker->origin, LinkerOrigin::setting);
    EXPECT_EQ(find_linker(windows(), places).linker->words, std::vector<std::string>{scratch.text("setting")});
}

TEST(FindLinker, TakesAPlainNameBeforeAVersionedOneAndThenTheNewest) {
    const ScratchFolder scratch;
    const LinkerPlaces places = on_path({scratch.text("a"), scratch.text("b")});
    const auto taken = [&] { return find_linker(windows(), places).linker->words.front(); };
    scratch.script("a/lld-link-14", "echo 'LLD 14.0.6'");
    EXPECT_EQ(taken(), scratch.text("a/lld-link-14"));
    scratch.script("b/lld-link-19", good);
    EXPECT_EQ(taken(), scratch.text("b/lld-link-19"));
    scratch.script("b/lld-link", "echo 'LLD 15.0.7'");
    EXPECT_EQ(taken(), scratch.text("b/lld-link"));
    // A name of a version that is never used is not even looked at.
    scratch.script("c/lld-link-13", old);
    const LinkerSearch search = find_linker(windows(), on_path({scratch.text("c")}));
    EXPECT_FALSE(search.linker.has_value());
    EXPECT_TRUE(search.rejected.empty());
}

TEST(FindLinker, OfZiglangTakesLlvmsLinkerForWindowsAndItsOwnForMacos) {
    const ScratchFolder scratch;
    LinkerPlaces places;
    places.zig = scratch.script("zig", zig);
    const LinkerSearch for_windows = find_linker(windows(), places);
    ASSERT_TRUE(for_windows.linker.has_value());
    EXPECT_EQ(for_windows.linker->words, (std::vector<std::string>{*places.zig, "lld-link"}));
    EXPECT_EQ(for_windows.linker->kind, LinkerKind::lld_link);
    EXPECT_EQ(for_windows.linker->version, "22.1.8");
    EXPECT_EQ(for_windows.linker->origin, LinkerOrigin::ziglang);
    const LinkerSearch for_macos = find_linker(macos(), places);
    ASSERT_TRUE(for_macos.linker.has_value());
    EXPECT_EQ(for_macos.linker->words, (std::vector<std::string>{*places.zig, "cc"}));
    EXPECT_EQ(for_macos.linker->kind, LinkerKind::zig_cc);
    EXPECT_EQ(for_macos.linker->version, "0.17.1");
}

TEST(FindLinker, SaysWhyZiglangIsNoUse) {
    const ScratchFolder scratch;
    const auto reason = [](const Target& target, const std::string& file) {
        LinkerPlaces places;
        places.zig = file;
        places.time_limit = 300ms;
        const LinkerSearch search = find_linker(target, places);
        EXPECT_FALSE(search.linker.has_value());
        EXPECT_EQ(search.rejected.size(), 1U);
        EXPECT_EQ(search.rejected.at(0).origin, LinkerOrigin::ziglang);
        EXPECT_EQ(search.error, "no usable linker for " + target.name + " was found: " + file +
                                    " (ziglang): " + search.rejected.at(0).reason);
        return search.rejected.at(0).reason;
    };
    const std::string gone = scratch.text("gone");
    EXPECT_EQ(reason(windows(), gone), "there is no such file");
    EXPECT_EQ(reason(macos(), gone), "there is no such file");
    const std::string failing = scratch.script("failing", "echo 'error: no lib folder'; exit 1");
    EXPECT_EQ(reason(windows(), failing), "`--version` ended with exit status 1 and printed \"error: no lib folder\"");
    EXPECT_EQ(reason(macos(), failing), "`version` ended with exit status 1 and printed \"error: no lib folder\"");
    const std::string hanging = scratch.script("hanging", "sleep 60");
    EXPECT_EQ(reason(macos(), hanging), "it did not answer `version` within 0.3 s");
    const std::string other = scratch.script("other", "echo Hello");
    EXPECT_EQ(reason(windows(), other), "it is not LLVM's lld: `--version` printed \"Hello\"");
    EXPECT_EQ(reason(macos(), other), "it is not zig: `version` printed \"Hello\"");
}

TEST(FindLinker, AnUnusableSettingOrVariableIsAnErrorAlthoughPathHasOne) {
    const ScratchFolder scratch;
    scratch.script("path/lld-link", good);
    scratch.script("path/ld64.lld", good);
    LinkerPlaces places = on_path({scratch.text("path")});
    places.zig = scratch.script("zig", zig);
    places.variable = scratch.script("other", old);
    const LinkerSearch by_variable = find_linker(windows(), places);
    EXPECT_FALSE(by_variable.linker.has_value());
    EXPECT_EQ(by_variable.error, "the variable NASM_BUILD_LINKER names " + *places.variable +
                                     ", which cannot be used: it is lld 13.0.1, and 14 is the oldest that is used");
    EXPECT_EQ(by_variable.fix, "give the path of lld-link 14 or later, or unset NASM_BUILD_LINKER");
    places.setting = scratch.text("gone");
    const LinkerSearch by_setting = find_linker(macos(), places);
    EXPECT_FALSE(by_setting.linker.has_value());
    EXPECT_EQ(by_setting.error,
              "the setting linker names " + *places.setting + ", which cannot be used: there is no such file");
    EXPECT_EQ(by_setting.fix, "give the path of ld64.lld 14 or later, or take the setting out");
}

TEST(FindLinker, ANameWithoutAFolderIsLookedForInPath) {
    const ScratchFolder scratch;
    scratch.script("a/my-linker", old);
    scratch.script("b/my-linker", good);
    LinkerPlaces places = on_path({scratch.text("a"), scratch.text("b")});
    places.variable = "my-linker";
    const LinkerSearch search = find_linker(windows(), places);
    ASSERT_TRUE(search.linker.has_value());
    EXPECT_EQ(search.linker->words, std::vector<std::string>{scratch.text("b/my-linker")});
    EXPECT_EQ(search.linker->origin, LinkerOrigin::variable);
    scratch.script("b/my-linker", old);
    EXPECT_EQ(find_linker(windows(), places).error,
              "the variable NASM_BUILD_LINKER names my-linker, which cannot be used: " + scratch.text("a/my-linker") +
                  " (NASM_BUILD_LINKER): it is lld 13.0.1, and 14 is the oldest that is used; " +
                  scratch.text("b/my-linker") +
                  " (NASM_BUILD_LINKER): it is lld 13.0.1, and 14 is the oldest that is used");
    places.setting = "no-linker";
    EXPECT_EQ(find_linker(windows(), places).error,
              "the setting linker names no-linker, which cannot be used: no folder of PATH has it");
}

TEST(FindLinker, LooksAtAFileOnceUnderEachOfItsNames) {
    const ScratchFolder scratch;
    scratch.script("usr/bin/lld-link", old);
    std::filesystem::create_symlink("lld-link", scratch.path() / "usr/bin/lld-link-14");
    std::filesystem::create_directory_symlink(scratch.path() / "usr/bin", scratch.path() / "bin");
    LinkerPlaces places = on_path({scratch.text("usr/bin"), scratch.text("bin"), scratch.text("usr/bin/../bin")});
    places.usual_places = {scratch.text("usr/bin")};
    const LinkerSearch search = find_linker(windows(), places);
    // lld goes by the name that it is started with, so a link is another candidate.
    ASSERT_EQ(search.rejected.size(), 2U);
    EXPECT_EQ(search.rejected[0].path, scratch.text("usr/bin/lld-link"));
    EXPECT_EQ(search.rejected[1].path, scratch.text("usr/bin/lld-link-14"));
}

TEST(FindLinker, WithoutOneTellsWhatWasRejectedAndHowToInstall) {
    const ScratchFolder scratch;
    const std::string fix = install_command(Tool::lld) + "; or: pip install ziglang";
    const LinkerSearch nothing = find_linker(windows(), on_path({scratch.path().string()}));
    EXPECT_EQ(nothing.error, "no linker for win-amd64 was found: lld-link is not there");
    EXPECT_EQ(nothing.fix, fix);
    EXPECT_EQ(find_linker(macos(), on_path({})).error, "no linker for macosx-x86_64 was found: ld64.lld is not there");

    scratch.script("a/lld-link", "echo 'a linker'");
    scratch.script("b/lld-link-17", old);
    LinkerPlaces places = on_path({scratch.text("a")});
    places.usual_places = {scratch.text("b")};
    const LinkerSearch search = find_linker(windows(), places);
    EXPECT_EQ(search.error, "no usable linker for win-amd64 was found: " + scratch.text("a/lld-link") +
                                " (PATH): it is not LLVM's lld: `--version` printed \"a linker\"; " +
                                scratch.text("b/lld-link-17") +
                                " (usual place): it is lld 13.0.1, and 14 is the oldest that is used");
    EXPECT_EQ(search.fix, fix);
}

TEST(FindLinker, IsNotForTargetsThatTheirOwnCompilerLinks) {
    for (const char* platform : {"linux-x86_64", "linux-aarch64", "win32"}) {
        try {
            (void)find_linker(find_target(platform), LinkerPlaces{});
            ADD_FAILURE() << platform;
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()),
                      "modules for " + std::string(platform) + " are linked by the compiler of that platform");
            EXPECT_EQ(error.fix(),
                      "name a target of Windows or macOS: --target win-amd64, --target macosx-11.0-x86_64");
        }
    }
}

TEST(LinkerPlaces, ReadTheEnvironment) {
    ASSERT_EQ(::setenv("NASM_BUILD_LINKER", "my-linker", 1), 0);
    const LinkerPlaces places = linker_places("the/setting", "the/zig");
    ASSERT_EQ(::unsetenv("NASM_BUILD_LINKER"), 0);
    EXPECT_EQ(places.setting, "the/setting");
    EXPECT_EQ(places.variable, "my-linker");
    EXPECT_EQ(places.zig, "the/zig");
    EXPECT_FALSE(places.search_path.empty());
    const auto place = [&](const char* folder) {
        return std::find(places.usual_places.begin(), places.usual_places.end(), folder) - places.usual_places.begin();
    };
    const auto end = static_cast<std::ptrdiff_t>(places.usual_places.size());
    EXPECT_LT(place("/usr/bin"), place("/usr/lib/llvm-19/bin"));
    EXPECT_LT(place("/usr/lib/llvm-19/bin"), place("/usr/lib/llvm-14/bin"));
    EXPECT_LT(place("/usr/lib64/llvm17/bin"), end);
    EXPECT_LT(place("/opt/homebrew/opt/lld/bin"), end);
    EXPECT_EQ(place("/usr/lib/llvm-13/bin"), end);
    EXPECT_EQ(places.time_limit, 5s);
    EXPECT_FALSE(linker_places(std::nullopt, std::nullopt).variable.has_value());
}

TEST(LinkerNames, AreThoseOfTheAnswer) {
    EXPECT_STREQ(name_of(LinkerOrigin::setting), "setting");
    EXPECT_STREQ(name_of(LinkerOrigin::variable), "NASM_BUILD_LINKER");
    EXPECT_STREQ(name_of(LinkerOrigin::search_path), "PATH");
    EXPECT_STREQ(name_of(LinkerOrigin::usual_place), "usual place");
    EXPECT_STREQ(name_of(LinkerOrigin::ziglang), "ziglang");
    EXPECT_STREQ(name_of(LinkerKind::lld_link), "lld-link");
    EXPECT_STREQ(name_of(LinkerKind::ld64), "ld64");
    EXPECT_STREQ(name_of(LinkerKind::zig_cc), "zig-cc");
}

}  // namespace
}  // namespace nasm_build::toolchain
#endif
