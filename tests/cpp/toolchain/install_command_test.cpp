// The command that the errors "no NASM" and "no linker" name, by system and distribution.
#include "toolchain/install_command.hpp"

#include <gtest/gtest.h>

namespace nasm_build::toolchain {
namespace {

std::string on_linux(std::string_view os_release) {
    return install_command(Tool::nasm, System::linux_distribution, os_release);
}

TEST(InstallCommand, OnLinuxFollowsOsRelease) {
    EXPECT_EQ(on_linux("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n"), "apt-get install nasm");
    EXPECT_EQ(on_linux("ID=ubuntu\nID_LIKE=debian\n"), "apt-get install nasm");
    EXPECT_EQ(on_linux("ID=linuxmint\nID_LIKE=\"ubuntu debian\""), "apt-get install nasm");
    EXPECT_EQ(on_linux("ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n"), "dnf install nasm");
    EXPECT_EQ(on_linux("ID=oracle\nID_LIKE='fedora'\n"), "dnf install nasm");
    EXPECT_EQ(on_linux("NAME=\"Alpine Linux\"\nID=alpine\n"), "apk add nasm");
    EXPECT_EQ(on_linux("ID=manjaro\nID_LIKE=arch\n"), "pacman -S nasm");
    EXPECT_EQ(on_linux("ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n"), "zypper install nasm");
    EXPECT_EQ(on_linux("ID=something-new\n"), "conda install -c conda-forge nasm");
    EXPECT_EQ(on_linux("VARIANT_ID=debian\n"), "conda install -c conda-forge nasm");
    EXPECT_EQ(on_linux(""), "conda install -c conda-forge nasm");
}

TEST(InstallCommand, OnTheOtherSystems) {
    EXPECT_EQ(install_command(Tool::nasm, System::macos, ""), "brew install nasm");
    EXPECT_EQ(install_command(Tool::nasm, System::windows, ""), "winget install NASM.NASM");
    EXPECT_EQ(install_command(Tool::nasm, System::other, ""), "conda install -c conda-forge nasm");
    EXPECT_NE(install_command(Tool::nasm), "");
}

TEST(InstallCommand, OfTheLinkers) {
    EXPECT_EQ(install_command(Tool::lld, System::linux_distribution, "ID=debian\n"), "apt-get install lld");
    EXPECT_EQ(install_command(Tool::lld, System::linux_distribution, "ID=gentoo\n"), "emerge llvm-core/lld");
    EXPECT_EQ(install_command(Tool::lld, System::linux_distribution, ""), "conda install -c conda-forge lld");
    EXPECT_EQ(install_command(Tool::lld, System::macos, ""), "brew install lld");
    EXPECT_EQ(install_command(Tool::lld, System::windows, ""), "winget install LLVM.LLVM");
}

}  // namespace
}  // namespace nasm_build::toolchain
