// Finding symbols: CPython's and libc's among those of this process, without Mach-O's leading underscore, and the
// image's own.
#include "symbols.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "exports.hpp"
#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::string_view STUB_BINDER = "dyld_stub_binder";

/// In the place of dyld's function for binding at the first call: here everything has been bound before.
void stub_binder() {
    std::abort();
}

std::uint64_t number(void* address) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): an address is a number here
    return reinterpret_cast<std::uint64_t>(address);
}

std::optional<std::uint64_t> in_process(const std::string& name) {
    if (name == STUB_BINDER) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): an address is a number here
        return reinterpret_cast<std::uint64_t>(&stub_binder);
    }
    // A name without the underscore is no C symbol of macOS; it must not be taken for another one.
    void* found = name.starts_with('_') ? dlsym(RTLD_DEFAULT, name.c_str() + 1) : nullptr;
    return found == nullptr ? std::nullopt : std::optional(number(found));
}

std::optional<std::uint64_t> in_image(const Image& image, std::uint64_t slide, const std::string& name) {
    const auto address = exported(image, name);
    return address ? std::optional(*address + slide) : std::nullopt;
}

std::optional<std::uint64_t> find(const Image& image, std::uint64_t slide, const Reference& wanted) {
    switch (wanted.library) {
        case format::BIND_SPECIAL_DYLIB_SELF:
            return in_image(image, slide, wanted.name);
        case format::BIND_SPECIAL_DYLIB_WEAK_LOOKUP: {
            const auto own = in_image(image, slide, wanted.name);
            return own ? own : in_process(wanted.name);
        }
        default: {
            const auto found = in_process(wanted.name);
            return found ? found : in_image(image, slide, wanted.name);
        }
    }
}

/// A missing symbol, with its library when it has one.
std::string described(const Image& image, const Reference& wanted) {
    if (wanted.library == format::BIND_SPECIAL_DYLIB_SELF) {
        return wanted.name + " (of itself)";
    }
    if (wanted.library > 0 && static_cast<std::size_t>(wanted.library) <= image.libraries.size()) {
        return wanted.name + " (of " + image.libraries[static_cast<std::size_t>(wanted.library) - 1] + ")";
    }
    return wanted.name;
}

}  // namespace

std::vector<std::optional<std::uint64_t>> resolve(const Image& image, std::uint64_t slide, const Fixups& fixups) {
    std::vector<std::optional<std::uint64_t>> addresses;
    std::vector<std::string> missing;
    for (const Reference& wanted : fixups.references) {
        auto found = find(image, slide, wanted);
        if (!found && wanted.may_be_missing) {
            found = 0;
        }
        if (!found && !wanted.keeps_own) {
            const std::string name = described(image, wanted);
            if (std::find(missing.begin(), missing.end(), name) == missing.end()) {
                missing.push_back(name);
            }
        }
        addresses.push_back(found);
    }
    if (!missing.empty()) {
        std::string names;
        for (const std::string& name : missing) {
            names += (names.empty() ? "" : ", ") + name;
        }
        throw Error("this process has no symbol " + names);
    }
    return addresses;
}

}  // namespace macho_loader
