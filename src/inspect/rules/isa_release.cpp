// The wheels of one release together: where one platform runs slow code because its module lacks what the others have.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "inspect/code/features.hpp"
#include "inspect/rules/isa.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

constexpr auto first_level_told = static_cast<unsigned>(code::Level::v3);

/// A module of the release under one name, for every platform.
struct Group {
    std::map<std::string, unsigned> level_of_target;
    const ReleaseModule* best = nullptr;
};

using Key = std::tuple<std::string, std::string>;

Key key_of(const ReleaseModule& module) {
    return {module.release, module.module};
}

std::map<Key, Group> groups_of(std::span<const ReleaseModule> modules) {
    std::map<Key, Group> groups;
    for (const ReleaseModule& module : modules) {
        Group& group = groups[key_of(module)];
        unsigned& level = group.level_of_target[module.target];
        level = std::max({level, module.level, module.wheel_level});
        if (group.best == nullptr || module.level > group.best->level) {
            group.best = &module;
        }
    }
    return groups;
}

Finding finding_of(const ReleaseModule& module, const ReleaseModule& best) {
    const std::string_view level = code::name_of(static_cast<code::Level>(best.level));
    return make_finding(
        rule::simd_missing,
        {fmt::format("has no code for {}, which {} has in {}: the same call is slower on {}", level, best.place,
                     list_of(best.functions, 3), module.target),
         fmt::format(
             "build the same kernels for {} (its tables of sources, its compiler's flags), or say with --ignore "
             "that they are not meant for it",
             module.target)});
}

}  // namespace

// Below AVX compilers differ by themselves: clang for macOS uses SSE4.1 where gcc and Microsoft's use SSE2.
std::vector<Compared> check_release(std::span<const ReleaseModule> modules) {
    const std::map<Key, Group> groups = groups_of(modules);
    std::vector<Compared> compared;
    for (const ReleaseModule& module : modules) {
        const Group& group = groups.at(key_of(module));
        Compared one;
        one.is_compared = group.level_of_target.size() > 1;
        const bool lacks = group.level_of_target.at(module.target) < group.best->level;
        if (one.is_compared && lacks && group.best->level >= first_level_told) {
            one.finding = finding_of(module, *group.best);
        }
        compared.push_back(std::move(one));
    }
    return compared;
}

}  // namespace nasm_build::inspect
