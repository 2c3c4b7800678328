// The command that the "no NASM" error names, by system and distribution.
#include "toolchain/install_command.hpp"

#include <gtest/gtest.h>

namespace nasm_build::toolchain {
namespace {

std::string on_linux(std::string_view os_release) {
    return nasm_install_command(System::linux_distribution, os_release);
}

TEST(NasmInstallCommand, OnLinuxFollowsOsRelease) {
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

TEST(NasmInstallCommand, OnTheOtherSystems) {
    EXPECT_EQ(nasm_install_command(System::macos, ""), "brew install nasm");
    EXPECT_EQ(nasm_install_command(System::windows, ""), "winget install NASM.NASM");
    EXPECT_EQ(nasm_install_command(System::other, ""), "conda install -c conda-forge nasm");
    EXPECT_NE(nasm_install_command(), "");
}

}  // namespace
}  // namespace nasm_build::toolchain
