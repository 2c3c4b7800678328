#include "inspect/release.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/image.hpp"
#include "inspect/rules/isa.hpp"
#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {

namespace {

constexpr unsigned highest_level = 4;

// `name-version` of a wheel's file name (PEP 427); empty for another file.
std::string release_of(std::string_view path) {
    const std::string_view name = base_name(path);
    const std::size_t first = name.find('-');
    const std::size_t second = first == std::string_view::npos ? first : name.find('-', first + 1);
    return name.ends_with(".whl") && second != std::string_view::npos ? std::string(name.substr(0, second))
                                                                      : std::string();
}

// The highest level in each wheel; one with code that was not read may have any.
std::map<std::string, unsigned> level_of_wheels(const Report& report) {
    std::map<std::string, unsigned> levels;
    for (const FileReport& file : report.files) {
        const bool is_read = file.code.level != 0 || file.machine != name_of(Machine::x86_64);
        unsigned& level = levels[file.path];
        level = std::max(level, is_read ? file.code.level : highest_level);
    }
    return levels;
}

bool takes_part(const FileReport& file) {
    return file.status == FileStatus::checked && file.is_module && file.code.level != 0 && !file.module.empty() &&
           !file.target.empty();
}

void add_finding(FileReport& file, Finding finding, std::span<const Suppression> suppressions) {
    std::vector<Finding> one{std::move(finding)};
    silence(one, suppressions);
    const auto place = std::find_if(file.findings.begin(), file.findings.end(),
                                    [&](const Finding& other) { return other.severity > one.front().severity; });
    file.findings.insert(place, std::move(one.front()));
}

}  // namespace

void compare_releases(Report& report, std::span<const Suppression> suppressions) {
    const std::map<std::string, unsigned> wheels = level_of_wheels(report);
    std::vector<FileReport*> files;
    std::vector<ReleaseModule> modules;
    for (FileReport& file : report.files) {
        if (takes_part(file)) {
            files.push_back(&file);
            modules.push_back({release_of(file.path), file.module, file.target, std::string(base_name(file.path)),
                               file.code.level, wheels.at(file.path), file.code.functions});
        }
    }
    std::vector<Compared> compared = check_release(modules);
    for (std::size_t index = 0; index < files.size(); ++index) {
        if (compared[index].finding) {
            add_finding(*files[index], std::move(*compared[index].finding), suppressions);
        } else if (compared[index].is_compared) {
            files[index]->passed.emplace_back(rule::simd_missing);
        }
    }
}

}  // namespace nasm_build::inspect
