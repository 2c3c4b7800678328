// Finding the Python package from the executable, in every scheme that installers use.
#include "toolchain/installation.hpp"

#include "scratch_folder.hpp"

namespace nasm_build::toolchain {
namespace {

const std::string metadata = "nasm_build-" NASM_BUILD_VERSION ".dist-info/RECORD";

#ifdef _WIN32
const std::string carried = "nasm_build/carried/nasm.exe";
#else
const std::string carried = "nasm_build/carried/nasm";
#endif

TEST(FindPackageFolder, InEveryScheme) {
    for (const auto& [executable, modules] : {std::pair{"venv/bin/nasm-ext", "venv/lib/python3.13/site-packages"},
                                              std::pair{"venv/bin/nasm-ext", "venv/lib64/python3.13/site-packages"},
                                              std::pair{"local/bin/nasm-ext", "local/lib/python3.11/dist-packages"},
                                              std::pair{"venv/bin/nasm-ext", "venv/lib/python3.13t/site-packages"},
                                              std::pair{"venv/Scripts/nasm-ext.exe", "venv/Lib/site-packages"},
                                              std::pair{"Python313/Scripts/nasm-ext.exe", "Python313/site-packages"},
                                              std::pair{"target/bin/nasm-ext", "target"}}) {
        const ScratchFolder scratch;
        const std::string folder = std::string(modules) + "/";
        scratch.write(folder + metadata, "");
        scratch.write(folder + "nasm_build/include/Python.inc", "");
        scratch.write(folder + carried, "");
        const std::filesystem::path program = scratch.path() / executable;
        const std::filesystem::path package = scratch.path() / modules / "nasm_build";
        EXPECT_EQ(find_package_folder(program), package) << executable << " " << modules;
        EXPECT_EQ(find_include_folder(program), package / "include");
        EXPECT_EQ(find_carried_nasm(program), scratch.path() / modules / carried);
    }
}

TEST(FindPackageFolder, TakesItsOwnVersionAlone) {
    const ScratchFolder scratch;
    const std::filesystem::path program = scratch.path() / "usr/bin/nasm-ext";
    scratch.write("usr/lib/python3.13/site-packages/nasm_build/__init__.py", "");
    scratch.write("usr/lib/python3.13/site-packages/nasm_build-99.0.dist-info/RECORD", "");
    EXPECT_EQ(find_package_folder(program), std::nullopt);
    scratch.write("usr/lib/python3.11/site-packages/nasm_build/__init__.py", "");
    scratch.write("usr/lib/python3.11/site-packages/" + metadata, "");
    EXPECT_EQ(find_package_folder(program), scratch.path() / "usr/lib/python3.11/site-packages/nasm_build");
    EXPECT_EQ(find_include_folder(program), std::nullopt);
    EXPECT_EQ(find_carried_nasm(program), std::nullopt);
}

TEST(FindPackageFolder, IsNothingInABuildFolder) {
    const ScratchFolder scratch;
    EXPECT_EQ(find_package_folder(scratch.path() / "build/src/cli/nasm-ext"), std::nullopt);
    EXPECT_EQ(find_package_folder({}), std::nullopt);
}

}  // namespace
}  // namespace nasm_build::toolchain
