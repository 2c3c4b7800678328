#include "toolchain/system_stub.hpp"

#include <array>
#include <string_view>

namespace nasm_build::toolchain {

namespace {

constexpr auto names = std::to_array<std::string_view>({
#define SYSTEM_SYMBOL(name) name,
#include "toolchain/macos_runtime.inc"
#undef SYSTEM_SYMBOL
});

}  // namespace

std::string system_library_stub() {
    std::string symbols = "dyld_stub_binder";  // what lazy binding calls; it alone has no underscore
    for (const std::string_view name : names) {
        symbols += ", _";
        symbols += name;
    }
    return "--- !tapi-tbd\n"
           "tbd-version: 4\n"
           "targets: [ x86_64-macos ]\n"
           "install-name: '/usr/lib/libSystem.B.dylib'\n"
           "exports:\n"
           "  - targets: [ x86_64-macos ]\n"
           "    symbols: [ " +
           symbols + " ]\n...\n";
}

}  // namespace nasm_build::toolchain
