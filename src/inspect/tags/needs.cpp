#include "inspect/tags/needs.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "inspect/data/c_library_symbols.hpp"
#include "inspect/rules/libraries.hpp"
#include "inspect/rules/python_names.hpp"
#include "inspect/tags/policies.hpp"

namespace nasm_build::inspect {

namespace {

constexpr toolchain::PythonVersion first_with_musl_suffix{3, 11};  // bpo-43112

NamedLibrary named_library(const Expectations& file) {
    if (!file.is_extension_module || file.targets.empty()) {
        return NamedLibrary::none;
    }
    if (file.targets.front().c_library == toolchain::CLibrary::musl) {
        return NamedLibrary::musl;
    }
    const bool is_old = file.python && file.python->version < first_with_musl_suffix;
    return is_old ? NamedLibrary::either : NamedLibrary::gnu;
}

bool is_musl(std::string_view library) {
    return library.starts_with("libc.musl-") || library.starts_with("ld-musl-") || library == "libc.so";
}

std::string asking_symbol(const Image& image, std::string_view version) {
    const auto found = std::find_if(image.imports.begin(), image.imports.end(),
                                    [&](const Import& one) { return one.version == version; });
    return found == image.imports.end() ? std::string() : found->name;
}

void add_libraries(BinaryNeeds& needs, const Image& image, const IsBundled& is_bundled) {
    for (const Library& library : image.libraries) {
        if (is_bundled(library.name)) {
            continue;
        }
        needs.needs_musl |= is_musl(library.name);
        needs.needs_glibc |= !is_musl(library.name) && is_system_library(Format::elf, library.name);
        needs.needs.push_back({library.name, "", "", false, manylinux_of_library(library.name)});
    }
}

void add_versions(BinaryNeeds& needs, const Image& image, const IsBundled& is_bundled) {
    std::set<std::string_view> seen;
    for (const NeededVersion& one : image.needed_versions) {
        if (is_bundled(one.library)) {
            continue;
        }
        needs.needs_glibc |= is_system_library(Format::elf, one.library);
        const VersionPromise promise = manylinux_of_version(needs.machine, one.version);
        if (promise.is_known && seen.insert(one.version).second) {
            needs.needs.push_back(
                {one.version, one.library, asking_symbol(image, one.version), one.weak, promise.glibc});
        }
    }
}

// A library's own names, which it may change or drop: needed by a name, they need a tag that promises them.
void add_private_names(BinaryNeeds& needs, const Image& image, const IsBundled& is_bundled) {
    for (const Library& library : image.libraries) {
        if (is_bundled(library.name) || !manylinux_of_library(library.name)) {
            continue;
        }
        for (const Import& import : image.imports) {
            const auto found = import.weak ? std::nullopt : manylinux_private_name(library.name, import.name);
            if (found) {
                needs.needs.push_back({import.name, library.name, import.name, false, found->glibc});
            }
        }
    }
}

void find_glibc(BinaryNeeds& needs) {
    needs.glibc = oldest_manylinux(needs.machine);
    for (const PlatformNeed& need : needs.needs) {
        if (!need.glibc) {
            needs.glibc.reset();
        }
        if (!needs.glibc) {
            return;
        }
        needs.glibc = std::max(*needs.glibc, *need.glibc);
    }
}

void find_musl(BinaryNeeds& needs, const Image& image) {
    const bool all_there = std::all_of(needs.needs.begin(), needs.needs.end(), [](const PlatformNeed& need) {
        return need.library.empty() ? is_promised_by_musllinux(need.what) : need.library == "libz.so.1";
    });
    if (!all_there || needs.machine.empty()) {
        return;
    }
    constexpr unsigned oldest = 1;  // musllinux_1_1
    const bool needs_newer = std::any_of(image.imports.begin(), image.imports.end(), [](const Import& import) {
        return !import.weak && import.version.empty() && is_of_musl_1_2(import.name);
    });
    needs.musl = needs_newer ? oldest + 1 : oldest;
}

void read_elf(BinaryNeeds& needs, const Image& image, const Expectations& file, const IsBundled& is_bundled) {
    needs.machine = linux_tag_machine(image);
    needs.named = named_library(file);
    add_libraries(needs, image, is_bundled);
    add_versions(needs, image, is_bundled);
    add_private_names(needs, image, is_bundled);
    needs.needs_c_library = std::any_of(image.imports.begin(), image.imports.end(), [](const Import& import) {
        return !import.weak && import.version.empty() && !is_python_name(import.name) &&
               find_c_library_symbol(import.name).has_value();
    });
    find_glibc(needs);
    find_musl(needs, image);
}

std::optional<std::pair<unsigned, unsigned>> version_of(std::string_view text) {
    unsigned major = 0;
    unsigned minor = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), major);
    if (error != std::errc()) {
        return std::nullopt;
    }
    if (end != text.data() + text.size() && *end == '.') {
        std::from_chars(end + 1, text.data() + text.size(), minor);
    }
    return std::pair{major, minor};
}

// What macOS itself has: dyld finds these in its cache, whether or not there is a file.
bool is_of_macos(std::string_view library) {
    return library.starts_with("/usr/lib/") || library.starts_with("/System/Library/");
}

void read_macho(BinaryNeeds& needs, const Image& image, const IsBundled& is_bundled) {
    needs.machine = image.machine == Machine::x86_64  ? "x86_64"
                    : image.machine == Machine::arm64 ? "arm64"
                    : image.machine == Machine::x86   ? "i386"
                                                      : "";
    if (image.platform.empty() || image.platform == "macos") {
        needs.minimum_macos = version_of(image.minimum_system);
    } else {
        needs.machine.clear();  // iOS and its simulators have tags of their own
    }
    for (const Library& library : image.libraries) {
        if (!is_of_macos(library.name) && !is_bundled(library.name) && !library.weak) {
            needs.foreign_libraries.push_back(library.name);
        }
    }
}

std::string windows_machine(const Image& image) {
    switch (image.machine) {
        case Machine::x86_64:
            return "win_amd64";
        case Machine::x86:
            return "win32";
        case Machine::arm64:
            return "win_arm64";
        default:
            return {};
    }
}

}  // namespace

BinaryNeeds platform_needs(const Image& image, const Expectations& file, const IsBundled& is_bundled) {
    BinaryNeeds needs;
    needs.slice = image.slice;
    needs.format = image.format;
    switch (image.format) {
        case Format::elf:
            read_elf(needs, image, file, is_bundled);
            break;
        case Format::macho:
            read_macho(needs, image, is_bundled);
            break;
        case Format::pe:
            needs.machine = windows_machine(image);
            break;
    }
    return needs;
}

bool is_promised_by_musllinux(std::string_view library) noexcept {
    return is_musl(library) || library == "libz.so.1";
}

}  // namespace nasm_build::inspect
