// The search for NASM among fakes: shell scripts that answer `-v` as the programs that people have do.
#include "toolchain/find_nasm.hpp"

#include <algorithm>
#include <cstdlib>

#include "scratch_folder.hpp"
#include "toolchain/install_command.hpp"

#ifndef _WIN32

namespace nasm_build::toolchain {
namespace {

using namespace std::chrono_literals;

const std::string good = "echo 'NASM version 2.16.01 compiled on Dec  8 2022'";
const std::string old = "echo 'NASM version 0.98.40 (Apple Computer, Inc. build 11) compiled on Aug 24 2015'";

NasmPlaces on_path(const std::vector<std::string>& folders) {
    NasmPlaces places;
    places.search_path = folders;
    return places;
}

// Why the only candidate was passed over.
std::string reason_for(const std::string& file) {
    NasmPlaces places;
    places.setting = file;
    places.time_limit = 300ms;
    const NasmSearch search = find_nasm(places);
    if (search.rejected.size() != 1) {
        return "not rejected";
    }
    EXPECT_EQ(search.rejected[0].path, file);
    EXPECT_EQ(search.rejected[0].origin, NasmOrigin::setting);
    EXPECT_EQ(search.error,
              "the project's NASM setting names " + file + ", which cannot be used: " + search.rejected[0].reason);
    EXPECT_EQ(search.fix, "give it the path of a NASM 2.15.05 or later, or take the setting out");
    return search.rejected[0].reason;
}

TEST(FindNasm, TakesTheFirstUsableOneOfPath) {
    const ScratchFolder scratch;
    scratch.script("a/nasm", "echo 'yasm 1.3.0'");
    scratch.script("b/nasm", old);
    scratch.script("c/nasm", good);
    scratch.script("d/nasm", "echo 'NASM version 2.16.03'");
    const NasmSearch search = find_nasm(
        on_path({scratch.text("a"), scratch.text("nowhere"), scratch.text("b"), scratch.text("c"), scratch.text("d")}));
    ASSERT_TRUE(search.nasm.has_value());
    EXPECT_EQ(search.nasm->path, scratch.text("c/nasm"));
    EXPECT_EQ(search.nasm->version, "2.16.01");
    EXPECT_EQ(search.nasm->origin, NasmOrigin::search_path);
    EXPECT_TRUE(search.nasm->warnings.empty());
    EXPECT_EQ(search.error, "");
    ASSERT_EQ(search.rejected.size(), 2U);
    EXPECT_EQ(search.rejected[0].path, scratch.text("a/nasm"));
    EXPECT_EQ(search.rejected[0].reason, "it is Yasm, not NASM");
    EXPECT_EQ(search.rejected[1].path, scratch.text("b/nasm"));
    EXPECT_EQ(search.rejected[1].reason, "it is NASM 0.98.40, and 2.15.05 is the oldest that is used");
}

TEST(FindNasm, SaysWhyEachIsNoUse) {
    const ScratchFolder scratch;
    EXPECT_EQ(reason_for(scratch.text("nothing")), "there is no such file");
    std::filesystem::create_directory(scratch.path() / "folder");
    EXPECT_EQ(reason_for(scratch.text("folder")), "it is a folder");
    EXPECT_EQ(reason_for(scratch.write("text", "NASM version 2.16.01")), "it is not executable");
    std::filesystem::create_symlink(scratch.path() / "gone", scratch.path() / "link");
    EXPECT_EQ(reason_for(scratch.text("link")), "it is a link to a file that is not there");
    const std::string binary = scratch.write("binary",
                                             "\x7f"
                                             "ELF and no more");
    std::filesystem::permissions(binary, std::filesystem::perms::owner_all);
    EXPECT_EQ(reason_for(binary), "it could not be started: Exec format error");
    EXPECT_EQ(reason_for(scratch.script("hang", "sleep 60")), "it did not answer `-v` within 0.3 s");
    EXPECT_EQ(reason_for(scratch.script("killed", "kill -KILL $$")),
              "it was ended by SIGKILL when asked for its version");
    EXPECT_EQ(reason_for(scratch.script("silent", "exit 0")), "it is not NASM: `-v` printed nothing");
    EXPECT_EQ(reason_for(scratch.script("failing", "echo 'no licence'; exit 3")),
              "`-v` ended with exit status 3 and printed \"no licence\"");
    EXPECT_EQ(reason_for(scratch.script("other", "printf '\\n  Some\\033 tool\\nmore\\n'")),
              "it is not NASM: `-v` printed \"Some? tool\"");
    EXPECT_EQ(reason_for(scratch.script("failing_nasm", good + "; exit 1")),
              "`-v` ended with exit status 1 and printed \"NASM version 2.16.01 compiled on Dec  8 2022\"");
    EXPECT_EQ(reason_for(scratch.script("strange", "echo 'NASM version unknown'")),
              "it says that it is NASM, but its version \"unknown\" makes no sense");
    EXPECT_EQ(reason_for(scratch.script("yasm", "echo 'yasm 1.3.0'; echo 'Compiled on Dec 14 2022.'")),
              "it is Yasm, not NASM");
    EXPECT_EQ(reason_for(scratch.script("old", "echo 'NASM version 2.14.02'")),
              "it is NASM 2.14.02, and 2.15.05 is the oldest that is used");
    EXPECT_EQ(reason_for(scratch.script("candidate", "echo 'NASM version 2.15.05rc1'")),
              "it is NASM 2.15.05rc1, and 2.15.05 is the oldest that is used");
}

TEST(FindNasm, KnowsThe6502Assembler) {
    const ScratchFolder scratch;
    const std::string reason = "it is an assembler for the 6502 (PyPI's package `nasm`), not NASM";
    EXPECT_EQ(reason_for(scratch.script("usage", "echo 'nasm: a 6502 assembler'; exit 1")), reason);
    // What pip writes, dying of the import as it does under Python 3.
    const std::string script = scratch.write("wrapper", "#!/bin/sh\nexit 1\nfrom nasm.console import main\n");
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    EXPECT_EQ(reason_for(script), reason);
}

TEST(FindNasm, AcceptsTheOldestCandidatesAndSnapshots) {
    const ScratchFolder scratch;
    for (const char* version : {"2.15.05", "2.16rc1", "2.17-20240101", "3.02", "10.0"}) {
        NasmPlaces places;
        places.setting = scratch.script("nasm", "echo 'NASM version " + std::string(version) + " compiled on x'");
        const NasmSearch search = find_nasm(places);
        ASSERT_TRUE(search.nasm.has_value()) << version;
        EXPECT_EQ(search.nasm->version, version);
        EXPECT_EQ(search.nasm->origin, NasmOrigin::setting);
        EXPECT_TRUE(search.nasm->warnings.empty());
    }
}

TEST(FindNasm, UsesTheTwoThatMiscompileWithAWarning) {
    const ScratchFolder scratch;
    scratch.script("nasm", "echo 'NASM version 3.01 compiled on Oct 11 2025'");
    const NasmSearch search = find_nasm(on_path({scratch.path().string()}));
    ASSERT_TRUE(search.nasm.has_value());
    EXPECT_EQ(
        search.nasm->warnings,
        (std::vector<std::string>{"NASM 3.01 writes wrong displacements into some AVX-512 instructions (nasm#185): "
                                  "use 3.02 or later, or 2.16.03"}));
}

TEST(FindNasm, AsksTheSettingThenTheVariableThenPathThenUsualPlacesThenTheCarriedOne) {
    const ScratchFolder scratch;
    NasmPlaces places;
    places.carried = scratch.script("carried/nasm", good);
    places.usual_places = {scratch.text("usual")};
    places.search_path = {scratch.text("path")};
    EXPECT_EQ(find_nasm(places).nasm->origin, NasmOrigin::carried);
    scratch.script("usual/nasm", good);
    EXPECT_EQ(find_nasm(places).nasm->origin, NasmOrigin::usual_place);
    scratch.script("path/nasm", good);
    EXPECT_EQ(find_nasm(places).nasm->origin, NasmOrigin::search_path);
    places.variable = scratch.script("variable", good);
    EXPECT_EQ(find_nasm(places).nasm->origin, NasmOrigin::variable);
    places.setting = scratch.script("setting", good);
    EXPECT_EQ(find_nasm(places).nasm->origin, NasmOrigin::setting);
    EXPECT_EQ(find_nasm(places).nasm->path, scratch.text("setting"));
}

TEST(FindNasm, AnUnusableVariableIsAnErrorAlthoughPathHasOne) {
    const ScratchFolder scratch;
    scratch.script("path/nasm", good);
    NasmPlaces places = on_path({scratch.text("path")});
    places.variable = scratch.script("yasm", "echo 'yasm 1.3.0'");
    const NasmSearch search = find_nasm(places);
    EXPECT_FALSE(search.nasm.has_value());
    EXPECT_EQ(search.error,
              "the variable NASM names " + scratch.text("yasm") + ", which cannot be used: it is Yasm, not NASM");
    EXPECT_EQ(search.fix, "set it to the path of a NASM 2.15.05 or later, or unset NASM");
}

TEST(FindNasm, ANameWithoutAFolderIsLookedForInPath) {
    const ScratchFolder scratch;
    scratch.script("a/nasm-next", old);
    scratch.script("b/nasm-next", good);
    NasmPlaces places = on_path({scratch.text("a"), scratch.text("b")});
    places.variable = "nasm-next";
    const NasmSearch search = find_nasm(places);
    ASSERT_TRUE(search.nasm.has_value());
    EXPECT_EQ(search.nasm->path, scratch.text("b/nasm-next"));
    EXPECT_EQ(search.nasm->origin, NasmOrigin::variable);
    places.variable = "nasm-last";
    EXPECT_EQ(find_nasm(places).error,
              "the variable NASM names nasm-last, which cannot be used: no folder of PATH has it");
}

TEST(FindNasm, LooksAtAFileOnce) {
    const ScratchFolder scratch;
    scratch.script("usr/bin/nasm", old);
    std::filesystem::create_directory_symlink(scratch.path() / "usr/bin", scratch.path() / "bin");
    NasmPlaces places = on_path({scratch.text("usr/bin"), scratch.text("bin"), scratch.text("usr/bin")});
    places.usual_places = {scratch.text("usr/bin")};
    EXPECT_EQ(find_nasm(places).rejected.size(), 1U);
}

TEST(FindNasm, WithoutOneTellsWhatWasRejectedAndHowToInstall) {
    const ScratchFolder scratch;
    const NasmSearch nothing = find_nasm(on_path({scratch.path().string()}));
    EXPECT_EQ(nothing.error, "NASM was not found");
    EXPECT_EQ(nothing.fix, install_command(Tool::nasm));

    scratch.script("a/nasm", "echo 'yasm 1.3.0'");
    scratch.script("b/nasm", old);
    NasmPlaces places = on_path({scratch.text("a")});
    places.usual_places = {scratch.text("b")};
    const NasmSearch search = find_nasm(places);
    EXPECT_EQ(search.error, "no usable NASM was found: " + scratch.text("a/nasm") + " (PATH): it is Yasm, not NASM; " +
                                scratch.text("b/nasm") +
                                " (usual place): it is NASM 0.98.40, and 2.15.05 is the oldest that is used");
    EXPECT_EQ(search.fix,
              install_command(Tool::nasm) +
                  "; where that gives one older than 2.15.05: conda install -c conda-forge nasm, or set NASM "
                  "to the path of a newer one");
}

TEST(NasmPlaces, ReadTheEnvironment) {
    ASSERT_EQ(::setenv("NASM", "my-nasm", 1), 0);
    const NasmPlaces places = nasm_places("the/setting");
    ASSERT_EQ(::unsetenv("NASM"), 0);
    EXPECT_EQ(places.setting, "the/setting");
    EXPECT_EQ(places.variable, "my-nasm");
    EXPECT_FALSE(places.search_path.empty());
    EXPECT_NE(std::find(places.usual_places.begin(), places.usual_places.end(), "/usr/local/bin"),
              places.usual_places.end());
    EXPECT_EQ(places.time_limit, 2s);
}

}  // namespace
}  // namespace nasm_build::toolchain
#endif
