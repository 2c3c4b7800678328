// A wheel as a whole: its name, its metadata, and the files in it against each other.
#include "inspect/rules/wheel.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "inspect/rules/registry.hpp"
#include "inspect/rules/words.hpp"
#include "inspect/tags/platform_tag.hpp"
#include "inspect/tags/suffixes.hpp"

namespace nasm_build::inspect {

namespace {

using toolchain::PythonBuild;

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ".") + word;
    }
    return text;
}

std::vector<std::string> members_where(const WheelFacts& wheel, bool (*holds)(const WheelBinary&)) {
    std::vector<std::string> members;
    for (const WheelBinary& one : wheel.binaries) {
        if (holds(one)) {
            members.push_back(one.member);
        }
    }
    return members;
}

bool is_module(const WheelBinary& one) {
    return one.is_module;
}

// -- names that CPython looks for ------------------------------------------------------------------------------------

// A source beside the module is imported where no module is found.
bool has_source(const WheelFacts& wheel, const WheelBinary& module) {
    const std::string stem = module.member.substr(0, module.member.size() - module.suffix.size());
    return std::any_of(wheel.entries.begin(), wheel.entries.end(), [&](const std::string& entry) {
        return entry == stem + ".py" || entry == stem + "/__init__.py";
    });
}

using Files = std::vector<const WheelBinary*>;

// `linux_x86_64` is what every build for this machine says, be its C library glibc or musl: either's names are right.
std::vector<toolchain::Target> meant_by(const toolchain::Target& target, const WheelFacts& wheel) {
    std::vector<toolchain::Target> meant = {target};
    if (!wheel.promised.promised_elsewhere && target.c_library == toolchain::CLibrary::gnu) {
        meant.push_back(target);
        meant.back().c_library = toolchain::CLibrary::musl;
    }
    return meant;
}

std::vector<std::string> builds_without(const Files& files, const WheelFacts& wheel, const toolchain::Target& target) {
    std::vector<std::string> missing;
    const std::vector<toolchain::Target> targets = meant_by(target, wheel);
    for (const PythonBuild& promise : wheel.promised.pythons) {
        for (const PythonBuild& python : promised_builds(promise)) {
            const bool is_found = std::any_of(files.begin(), files.end(), [&](const WheelBinary* file) {
                return std::any_of(targets.begin(), targets.end(),
                                   [&](const toolchain::Target& one) { return looks_for(one, python, file->suffix); });
            });
            const std::string word = toolchain::to_string(python);
            if (!is_found && std::find(missing.begin(), missing.end(), word) == missing.end()) {
                missing.push_back(word);
            }
        }
    }
    return missing;
}

void check_names(Verdict& verdict, const WheelFacts& wheel) {
    if (wheel.promised.pythons.empty() || wheel.promised.targets.empty()) {
        verdict.not_applicable.push_back(
            {std::string(rule::module_not_found_by_name), "its tags name no CPython, or no platform"});
        return;
    }
    std::map<std::string, Files> modules;
    for (const WheelBinary& one : wheel.binaries) {
        if (one.is_module) {
            modules[one.module_name].push_back(&one);
        }
    }
    for (const auto& [name, files] : modules) {
        const bool is_said_or_needless = std::any_of(files.begin(), files.end(), [&](const WheelBinary* file) {
            return file->is_refused || has_source(wheel, *file);
        });
        for (const toolchain::Target& target : wheel.promised.targets) {
            const std::vector<std::string> missing = builds_without(files, wheel, target);
            if (missing.empty() || is_said_or_needless) {
                continue;
            }
            verdict.findings.push_back(
                make_finding(rule::module_not_found_by_name,
                             {fmt::format("CPython {} for {} finds no module {}: it does not look for {}",
                                          list_of(missing), describe(target), name, files.front()->member),
                              fmt::format("give the file a name that all of them look for, ending in {}",
                                          module_suffix(target, wheel.promised.pythons.front()))}));
            break;
        }
    }
}

// -- purelib ---------------------------------------------------------------------------------------------------------

bool lies_in_purelib(const WheelBinary& one) {
    const std::size_t folder = one.member.find('/');
    return folder != std::string::npos && std::string_view(one.member).substr(0, folder).ends_with(".data") &&
           std::string_view(one.member).substr(folder).starts_with("/purelib/");
}

bool lies_in_platlib(const WheelBinary& one) {
    const std::size_t folder = one.member.find('/');
    return folder != std::string::npos && std::string_view(one.member).substr(0, folder).ends_with(".data") &&
           std::string_view(one.member).substr(folder).starts_with("/platlib/");
}

void check_purelib(Verdict& verdict, const WheelFacts& wheel) {
    const std::vector<std::string> moved = members_where(wheel, lies_in_purelib);
    std::vector<std::string> rooted;
    for (const WheelBinary& one : wheel.binaries) {
        if (wheel.root_is_purelib && !lies_in_platlib(one) && !lies_in_purelib(one)) {
            rooted.push_back(one.member);
        }
    }
    if (!rooted.empty()) {
        verdict.findings.push_back(make_finding(
            rule::purelib_module,
            {fmt::format("WHEEL says Root-Is-Purelib: true, so {} would be installed among what is the same on every "
                         "machine",
                         list_of(rooted)),
             "let the build mark it as platform-specific: setuptools does for every ext_modules, "
             "scikit-build-core with wheel.platlib = true"}));
    }
    if (!moved.empty()) {
        verdict.findings.push_back(
            make_finding(rule::purelib_module,
                         {fmt::format("{} would be installed among what is the same on every machine", list_of(moved)),
                          "put it at the root of a wheel that has Root-Is-Purelib: false, or under .data/platlib"}));
    }
}

// -- tags ------------------------------------------------------------------------------------------------------------

std::vector<std::string> expanded(const WheelFacts& wheel) {
    std::vector<std::string> tags;
    for (const std::string& python : wheel.python_tags) {
        for (const std::string& abi : wheel.abi_tags) {
            for (const std::string& platform : wheel.platform_tags) {
                tags.push_back(fmt::format("{}-{}-{}", python, abi, platform));
            }
        }
    }
    std::sort(tags.begin(), tags.end());
    return tags;
}

// A Tag line may be compressed itself.
std::vector<std::string> stated(const WheelFacts& wheel) {
    std::vector<std::string> tags;
    for (const std::string& line : wheel.tag_lines) {
        const WheelFacts one = wheel_facts("n-1-" + line + ".whl", {}, {});
        const std::vector<std::string> of_line = expanded(one);
        tags.insert(tags.end(), of_line.begin(), of_line.end());
    }
    std::sort(tags.begin(), tags.end());
    return tags;
}

void check_statement(Verdict& verdict, const WheelFacts& wheel) {
    const std::vector<std::string> named = expanded(wheel);
    if (!wheel.has_statement || named.empty() || wheel.tag_lines.empty()) {
        return;
    }
    const std::vector<std::string> written = stated(wheel);
    if (named != written) {
        verdict.findings.push_back(make_finding(
            rule::tag_mismatch, Severity::warning,
            {fmt::format("its name says {}, and its WHEEL says {}",
                         joined(wheel.python_tags) + "-" + joined(wheel.abi_tags) + "-" + joined(wheel.platform_tags),
                         list_of(wheel.tag_lines)),
             "rename it with `wheel tags`, which writes both"}));
    }
}

void check_tags(Verdict& verdict, const WheelFacts& wheel) {
    check_statement(verdict, wheel);
    const auto has = [](const std::vector<std::string>& tags, std::string_view wanted) {
        return std::find(tags.begin(), tags.end(), wanted) != tags.end();
    };
    const std::vector<std::string> modules = members_where(wheel, is_module);
    if (has(wheel.platform_tags, "any") && !modules.empty()) {
        verdict.findings.push_back(make_finding(
            rule::tag_mismatch, {fmt::format("its tag says any platform, and {} is for one", list_of(modules)),
                                 "give it the tag of its platform: nasm-ext tag prints it"}));
        return;
    }
    const bool names_no_abi = wheel.abi_tags == std::vector<std::string>{"none"};
    const auto specific = std::find_if(wheel.binaries.begin(), wheel.binaries.end(), [](const WheelBinary& one) {
        return one.is_module && one.named_python.has_value();
    });
    const bool names_one = std::any_of(wheel.python_tags.begin(), wheel.python_tags.end(),
                                       [](const std::string& tag) { return tag.starts_with("cp3") && tag.size() > 3; });
    if (names_no_abi && !names_one && specific != wheel.binaries.end()) {
        verdict.findings.push_back(
            make_finding(rule::tag_mismatch, Severity::warning,
                         {fmt::format("its tag {}-none is for every Python 3, and {} is for {} alone",
                                      joined(wheel.python_tags), specific->member, describe(*specific->named_python)),
                          "give it the tag of that CPython, or build the module for the stable ABI"}));
    }
}

void check_platform_tags(Verdict& verdict, const WheelFacts& wheel) {
    std::vector<std::string> unknown;
    std::copy_if(wheel.platform_tags.begin(), wheel.platform_tags.end(), std::back_inserter(unknown),
                 [](const std::string& tag) { return !is_known_to_installers(tag); });
    if (unknown.empty()) {
        return;
    }
    const bool is_whole = unknown.size() == wheel.platform_tags.size();
    verdict.findings.push_back(
        make_finding(rule::invented_cpu_tag, is_whole ? Severity::error : Severity::warning,
                     {fmt::format("no installer takes {}: it is the tag of no system", list_of(unknown)),
                      "name the machine as uname -m does (x86_64), and choose the faster code inside the module"}));
}

// -- entries ---------------------------------------------------------------------------------------------------------

// Two names that a file system may take for one: case is folded (ASCII alone), `./` and `//` left out.
std::string folded(const std::string& name) {
    std::string text;
    std::size_t start = 0;
    while (start <= name.size()) {
        const std::size_t end = std::min(name.find('/', start), name.size());
        const std::string part = name.substr(start, end - start);
        if (!part.empty() && part != ".") {
            text += (text.empty() ? "" : "/") + part;
        }
        start = end + 1;
    }
    std::transform(text.begin(), text.end(), text.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return text;
}

void check_entries(Verdict& verdict, const WheelFacts& wheel) {
    std::map<std::string, const std::string*> seen;
    for (const std::string& entry : wheel.entries) {
        const auto [place, is_new] = seen.emplace(folded(entry), &entry);
        if (!is_new) {
            verdict.findings.push_back(
                make_finding(rule::duplicate_entry,
                             {fmt::format("{} and {} are one file where case does not count or paths are tidied",
                                          *place->second, entry),
                              "rename one of them: Windows and macOS keep only the one that is unpacked last"}));
        }
    }
}

void check_record(Verdict& verdict, const WheelFacts& wheel) {
    if (!wheel.has_record) {
        verdict.findings.push_back(make_finding(
            rule::record_incomplete, {"has no RECORD, without which installers refuse it",
                                      "let the build backend pack the wheel; wheel pack writes one as well"}));
        return;
    }
    std::vector<std::string> missing;
    for (const WheelBinary& one : wheel.binaries) {
        if (!wheel.recorded.contains(one.member)) {
            missing.push_back(one.member);
        }
    }
    if (!missing.empty()) {
        verdict.findings.push_back(make_finding(
            rule::record_incomplete,
            {fmt::format("RECORD does not list {}, so nothing says that it is whole, and pip uninstall leaves it",
                         list_of(missing)),
             "pack the wheel again after files were added: wheel unpack, wheel pack"}));
    }
}

}  // namespace

Verdict check_wheel(const WheelFacts& wheel) {
    Verdict verdict;
    check_names(verdict, wheel);
    check_purelib(verdict, wheel);
    check_tags(verdict, wheel);
    check_platform_tags(verdict, wheel);
    check_entries(verdict, wheel);
    check_record(verdict, wheel);
    std::stable_sort(verdict.findings.begin(), verdict.findings.end(),
                     [](const Finding& one, const Finding& other) { return one.severity < other.severity; });
    return verdict;
}

std::vector<std::string> passed_by_wheel(const Verdict& verdict) {
    std::vector<std::string> passed;
    for (const Rule& one : all_rules()) {
        const auto names = [&](const auto& said) {
            return std::any_of(said.begin(), said.end(), [&](const auto& item) { return item.rule == one.id; });
        };
        if (one.scope == Scope::wheel && !names(verdict.findings) && !names(verdict.not_checked) &&
            !names(verdict.not_applicable)) {
            passed.emplace_back(one.id);
        }
    }
    return passed;
}

}  // namespace nasm_build::inspect
