// The machine that nasm-ext itself runs on, in sysconfig's words: what a target is when nobody names one.
#include "base/environment.hpp"
#include "toolchain/target.hpp"

#ifdef __APPLE__
#include <sys/sysctl.h>
#endif
#ifndef _WIN32
#include <sys/utsname.h>
#endif

#include <algorithm>
#include <array>
#include <string>

namespace nasm_build::toolchain {

namespace {

#ifdef __APPLE__
// The version that Apple's own tools build for: the variable when it is set, the running system otherwise.
std::string macos_version() {
    if (const std::optional<std::string> wanted = environment_variable("MACOSX_DEPLOYMENT_TARGET")) {
        return *wanted;
    }
    std::array<char, 32> text{};
    std::size_t size = text.size() - 1;
    if (::sysctlbyname("kern.osproductversion", text.data(), &size, nullptr, 0) != 0) {
        return "11.0";
    }
    const std::string version(text.data());
    const std::size_t first = version.find('.');
    return version.substr(0, first == std::string::npos ? first : version.find('.', first + 1));
}
#endif

}  // namespace

std::string host_platform() {
#if defined(_WIN32)
#if defined(_M_ARM64) || defined(__aarch64__)
    return "win-arm64";
#elif defined(_WIN64)
    return "win-amd64";
#else
    return "win32";
#endif
#elif defined(__APPLE__)
#if defined(__x86_64__)
    return "macosx-" + macos_version() + "-x86_64";
#else
    return "macosx-" + macos_version() + "-arm64";
#endif
#else
    utsname names{};
    if (::uname(&names) != 0) {
        return "linux-x86_64";
    }
    std::string system(names.sysname);
    std::string machine(names.machine);
#if defined(__i386__)
    machine = "i686";  // this program is 32-bit, and so is the system it was installed into
#endif
    std::transform(system.begin(), system.end(), system.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
    });
    return system == "linux" ? system + "-" + machine : system + "-" + names.release + "-" + machine;
#endif
}

CLibrary host_c_library() noexcept {
#if !defined(__linux__)
    return CLibrary::not_applicable;
#elif defined(__GLIBC__)
    return CLibrary::gnu;
#else
    return CLibrary::musl;
#endif
}

}  // namespace nasm_build::toolchain
