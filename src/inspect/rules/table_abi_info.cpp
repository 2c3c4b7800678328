// PyABIInfo (PEP 793): what a module from CPython 3.15 on says of the ABI that it was built for.
#include <fmt/core.h>

#include <algorithm>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/tables.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect::tables {

void check_abi_info(Context& context, std::uint64_t address) {
    constexpr auto abi = rule::abi_info;
    constexpr std::uint64_t size = 12, stable = 1, gil = 2, free_threaded = 4;
    context.saw(abi);
    if (!is_mapped(context.image, address, size) || !pointers_in(context.image, address, address + size).empty()) {
        context.error(abi, "the module's PyABIInfo is not 12 bytes of numbers",
                      "write `db 1, 0`, `dw flags`, `dd build_version, abi_version`");
        return;
    }
    const auto major = *number_at(context.image, address, 1);
    const auto flags = *number_at(context.image, address + 2, 2);
    const auto version = *number_at(context.image, address + 8, 4);
    if (major == 0) {
        return;  // says nothing, and CPython asks nothing
    }
    if (major > 1) {
        context.error(abi,
                      fmt::format("the module's PyABIInfo has the major version {}: CPython knows 1 alone and ends the "
                                  "import with ImportError",
                                  major),
                      "begin it with `db 1, 0`");
        return;
    }
    if (!context.expected.python) {
        return;
    }
    const toolchain::PythonBuild& python = *context.expected.python;
    const bool for_any = python.abi == toolchain::Abi::abi3t;
    const bool lacks_gil = (flags & gil) == 0 && (flags & free_threaded) != 0;
    const bool lacks_threads = (flags & free_threaded) == 0 && (flags & gil) != 0;
    if ((lacks_gil && (for_any || !python.free_threaded)) || (lacks_threads && (for_any || python.free_threaded))) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo says that it is for {} builds alone; the module is for {}",
                        lacks_gil ? "free-threaded" : "GIL", audience(context.expected)),
            for_any ? "give PyABIInfo_FREETHREADING_AGNOSTIC as its flags"
                    : fmt::format("give PyABIInfo_{} as its flags", python.free_threaded ? "FREETHREADED" : "GIL"));
    }
    // The first CPython that reads it is 3.15.
    const unsigned oldest = std::max(python.version.minor, 15U);
    const auto minor = static_cast<unsigned>((version >> 16U) & 0xFFU);
    const bool is_stable = (flags & stable) != 0;
    const bool is_one_version = python.abi == toolchain::Abi::version_specific;
    const bool is_too_new = minor > oldest;
    const bool is_other = !is_stable && is_one_version && python.version.minor >= 15 && minor != oldest;
    const bool is_for_one = !is_stable && !is_one_version;
    if (version != 0 && (is_too_new || is_other)) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo says that it is built for the ABI of CPython 3.{}; the module is for "
                        "{}",
                        minor, audience(context.expected)),
            fmt::format("write 0x{:08x} as its abi_version", 0x03000000U | oldest << 16U));
    } else if (version != 0 && is_for_one) {
        context.error(
            abi,
            fmt::format("the module's PyABIInfo lacks PyABIInfo_STABLE, so that CPython 3.{} alone takes it; the "
                        "module is for {}",
                        minor, audience(context.expected)),
            "add PyABIInfo_STABLE to its flags");
    }
}

}  // namespace nasm_build::inspect::tables
