#include "inspect/tags/suffixes.hpp"

#include <algorithm>
#include <array>

#include "inspect/data/python_symbols.hpp"
#include "toolchain/platform_name.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::Abi;
using toolchain::PythonBuild;
using toolchain::PythonVersion;
using toolchain::Target;

// Where each suffix was compared with an interpreter's own list, or follows from the same words (platform_name.cpp).
constexpr auto known_targets =
    std::to_array<std::string_view>({"linux-x86_64", "linux-i686", "linux-aarch64", "win32", "win-amd64", "win-arm64"});

constexpr PythonVersion first_with_debug_alternative{3, 8};  // bpo-36722
constexpr PythonVersion first_with_triplets{3, 15};  // cpython#152461; abi3t is of the same version (PEP 803)
constexpr PythonVersion last_free_threaded_with_abi3{3,
                                                     13};  // 3.13t still lists .abi3.so, and cannot load what it finds

bool is_known(const Target& target) {
    return target.name.starts_with("macosx-") ||
           std::find(known_targets.begin(), known_targets.end(), target.name) != known_targets.end();
}

}  // namespace

std::vector<std::string> extension_suffixes(const Target& target, const PythonBuild& python) {
    std::vector<std::string> found;
    if (!is_known(target)) {
        return found;
    }
    PythonBuild own = python;
    own.abi = Abi::version_specific;
    found.push_back(module_suffix(target, own));
    if (toolchain::is_windows(target)) {
        found.emplace_back(python.debug ? "_d.pyd" : ".pyd");
        return found;
    }
    if (python.debug && python.version >= first_with_debug_alternative) {
        own.debug = false;
        found.push_back(module_suffix(target, own));
    }
    const auto add_stable = [&](const char* abi) {
        if (python.version >= first_with_triplets) {
            found.push_back("." + std::string(abi) + "-" + toolchain::platform_triplet(target, python.version) + ".so");
        }
        found.push_back("." + std::string(abi) + ".so");
    };
    if (!python.free_threaded || python.version <= last_free_threaded_with_abi3) {
        add_stable("abi3");
    }
    if (python.version >= first_with_triplets) {
        add_stable("abi3t");
    }
    found.emplace_back(".so");
    return found;
}

std::vector<PythonBuild> promised_builds(const PythonBuild& promise) {
    if (promise.abi == Abi::version_specific) {
        return {promise};
    }
    std::vector<PythonBuild> builds;
    for (unsigned minor = promise.version.minor; minor <= newest_known_minor; ++minor) {
        PythonBuild one = promise;
        one.abi = Abi::version_specific;
        one.version.minor = minor;
        one.free_threaded = false;
        builds.push_back(one);
        if (promise.abi == Abi::abi3t) {
            one.free_threaded = true;
            builds.push_back(one);
        }
    }
    return builds;
}

bool looks_for(const Target& target, const PythonBuild& python, std::string_view suffix) {
    const std::vector<std::string> all = extension_suffixes(target, python);
    if (python.free_threaded && suffix == ".abi3.so") {
        return all.empty();  // found by 3.13t, which refuses what it then loads
    }
    return all.empty() || std::find(all.begin(), all.end(), suffix) != all.end();
}

}  // namespace nasm_build::inspect
