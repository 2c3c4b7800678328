#include "inspect/check.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/parallel.hpp"
#include "inspect/check_code.hpp"
#include "inspect/find_files.hpp"
#include "inspect/read/object.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"
#include "inspect/release.hpp"
#include "inspect/rules/entry_names.hpp"
#include "inspect/rules/libraries.hpp"
#include "inspect/rules/registry.hpp"
#include "inspect/rules/rules.hpp"
#include "inspect/rules/wheel.hpp"
#include "inspect/rules/words.hpp"

namespace nasm_build::inspect {

namespace {

// What the module was linked from: the objects of a build, and the code in them. What is no object that is read here (LLVM's bitcode,
// objects for other processors) is passed by, so that a caller may give every object it has.
struct Objects {
    std::vector<ObjectInMemory> files;
    std::vector<FileBytes> contents;  ///< of those that were read here
    std::vector<ObjectCode> code;
};

[[noreturn]] void fail_on_object(const std::string& path, const Error& error) {
    throw Error(fmt::format("{}: {}", path, error.what()), "give --object the objects that NASM wrote");
}

std::filesystem::path current_folder() {
    std::error_code ignored;  // then it is empty, and no path lies below it
    return std::filesystem::current_path(ignored);
}

// NASM writes whole paths into objects for Windows. Below the folder that this runs in they are told from there on, as those of the
// other formats are: people know them so, and annotations of a workflow need them so.
std::string shortened(const std::string& file, const std::filesystem::path& here) {
    try {
        const std::filesystem::path path = path_from_utf8(file);
        const std::filesystem::path shorter =
            path.is_absolute() ? path.lexically_relative(here) : std::filesystem::path();
        if (shorter.empty() || *shorter.begin() == "..") {
            return file;
        }
        const std::u8string text = shorter.generic_u8string();
        return {text.begin(), text.end()};
    } catch (const std::exception&) {  // Windows has no path for a name that is not UTF-8
        return file;
    }
}

void shorten_paths(std::span<ObjectCode> code) {
    const std::filesystem::path here = current_folder();
    for (ObjectCode& section : code) {
        for (std::string& file : section.files) {
            file = shortened(file, here);
        }
    }
}

void take_object(Objects& objects, ObjectInMemory file) {
    if (!object_format(file.bytes)) {
        return;
    }
    std::vector<ObjectCode> code = code_of_object(file.bytes);
    shorten_paths(code);
    std::move(code.begin(), code.end(), std::back_inserter(objects.code));
    objects.files.push_back(std::move(file));
}

Objects read_objects(std::span<const std::string> paths, std::span<const ObjectInMemory> others) {
    Objects objects;
    for (const ObjectInMemory& other : others) {
        try {
            take_object(objects, other);
        } catch (const Error& error) {
            fail_on_object(other.path, error);
        }
    }
    for (const std::string& path : paths) {
        try {
            objects.contents.push_back(read_file(path_from_utf8(path)));
            take_object(objects, {path, objects.contents.back().bytes()});
        } catch (const Error& error) {
            fail_on_object(path, error);
        }
    }
    return objects;
}

// A file to check: bytes that live elsewhere, and what is known before they are read.
struct Subject {
    std::string path;
    std::string member;
    std::span<const std::byte> bytes;
    Expectations by_name;
    Expectations by_wheel;
    bool was_searched = false;  ///< found in a folder or by a pattern: nobody said that it is a module
    const FileBytes* file = nullptr;  ///< which the bytes are of, where they are a whole file's
    const Objects* objects = nullptr;
};

// Where neither the command line nor the file's name tells a module from a library, the binary's own names do. Libraries
// with a plain `.so` are common inside wheels (loaded by ctypes); a file that is named on the command line is meant as a
// module unless it is called like a library.
void tell_module_from_library(Expectations& expected, const Subject& subject, std::span<const Image> images) {
    // A module's debug symbols lie in a file of the module's own name.
    const bool is_companion = std::all_of(images.begin(), images.end(),
                                          [](const Image& image) { return image.kind == FileKind::debug_symbols; });
    if (is_companion) {
        expected.is_extension_module = false;
        return;
    }
    if (expected.has_module_suffix) {
        return;
    }
    const std::string_view file = base_name(subject.member.empty() ? subject.path : subject.member);
    const EntryNames names = entry_names(leaf_name(expected));
    const bool has_own_entry = std::any_of(images.begin(), images.end(), [&](const Image& image) {
        return std::any_of(image.exports.begin(), image.exports.end(), [&](const Export& one) {
            return one.name == names.init || one.name == names.module_export;
        });
    });
    if (has_own_entry) {
        expected.is_extension_module = true;
        return;
    }
    const bool may_be_library = !subject.member.empty() || subject.was_searched || file.starts_with("lib");
    const bool has_any_entry = std::any_of(images.begin(), images.end(), looks_like_module);
    if (is_libpython(file) || (may_be_library && !has_any_entry)) {
        expected.is_extension_module = false;
    }
}

FileReport blank_report(const Subject& subject) {
    FileReport report;
    report.path = subject.path;
    report.member = subject.member;
    return report;
}

FileReport unreadable(const Subject& subject, const Error& error) {
    FileReport report = blank_report(subject);
    report.status = FileStatus::unreadable;
    report.reason = error.what();
    return report;
}

void take_verdict(FileReport& report, Verdict verdict, const CheckOptions& options) {
    silence(verdict.findings, options.suppressions);
    report.findings = std::move(verdict.findings);
    report.not_checked = std::move(verdict.not_checked);
    report.not_applicable = std::move(verdict.not_applicable);
}

// `of_slices` is what all slices of the file say together; it is told with the first one.
FileReport check_one(const Subject& subject, const Image& image, const Expectations& expected, Verdict of_slices,
                     const CheckOptions& options) {
    FileReport report = blank_report(subject);
    report.slice = image.slice;
    report.format = name_of(image.format);
    report.machine = name_of(image.machine);
    report.is_module = expected.is_extension_module;
    report.module = expected.is_extension_module ? expected.module_name : std::string();
    if (expected.python) {
        report.python = toolchain::to_string(*expected.python);
    }
    if (!expected.targets.empty()) {
        report.target = expected.targets.front().name;
    }
    Verdict verdict = std::move(of_slices);
    append(verdict, check_image(image, expected));
    add_code_verdict(subject.bytes, image, expected,
                     {options.read_all_code, options.verify_conventions, subject.objects->code}, verdict, report);
    report.passed = settle(verdict, image, expected);
    take_verdict(report, std::move(verdict), options);
    return report;
}

// Returns what the file turned out to be; nothing for one that cannot be read.
std::optional<Expectations> check_subject(Report& report, const Subject& subject, const CheckOptions& options) {
    try {
        const std::vector<Image> images = read_images(subject.bytes);
        Expectations expected = merge(subject.by_name, subject.by_wheel, options.expected);
        tell_module_from_library(expected, subject, images);
        Verdict of_slices = check_slices(images, expected);
        for (const Image& image : images) {
            report.files.push_back(check_one(subject, image, expected, std::exchange(of_slices, {}), options));
        }
        return expected;
    } catch (const Error& error) {
        report.files.push_back(unreadable(subject, error));
        return std::nullopt;
    }
}

WheelFacts read_wheel_facts(const std::string& path, std::span<const std::byte> bytes) {
    std::vector<std::string> names;
    for (const WheelEntry& entry : wheel_entries(bytes)) {
        if (!entry.is_folder) {
            names.push_back(entry.name);
        }
    }
    WheelMetadata texts = wheel_metadata(bytes);
    return wheel_facts(path, std::move(names),
                       {std::move(texts.statement), std::move(texts.metadata), std::move(texts.record)});
}

std::shared_ptr<const WheelContents> contents_of(const WheelFacts& facts) {
    auto contents = std::make_shared<WheelContents>();
    for (const std::string& entry : facts.entries) {
        if (is_module_name(entry)) {
            contents->binaries.emplace(base_name(entry));
        }
    }
    contents->has_dependencies = facts.has_dependencies;
    return contents;
}

// `reports` are those of its slices.
WheelBinary to_binary(const std::string& member, const Expectations& by_name, const Expectations& expected,
                      std::span<const FileReport> reports) {
    const bool is_refused = std::any_of(reports.begin(), reports.end(), [](const FileReport& one) {
        return std::any_of(one.findings.begin(), one.findings.end(), [](const Finding& finding) {
            return finding.rule == rule::file_name || finding.rule == rule::wrong_platform;
        });
    });
    return {member, expected.is_extension_module, expected.module_name, by_name.suffix, by_name.python, is_refused};
}

FileReport report_on_wheel(const std::string& path, const WheelFacts& facts, const CheckOptions& options) {
    FileReport report;
    report.path = path;
    report.format = "wheel";
    report.is_wheel = true;
    Verdict verdict = check_wheel(facts);
    report.passed = passed_by_wheel(verdict);
    take_verdict(report, std::move(verdict), options);
    return report;
}

// What was read of a mapped wheel goes back to the system after each module: the largest one bounds the memory.
void check_wheel_file(Report& report, const Subject& wheel, const CheckOptions& options) {
    const std::string& path = wheel.path;
    const std::span<const std::byte> bytes = wheel.bytes;
    WheelFacts facts = read_wheel_facts(path, bytes);
    Expectations by_wheel = expectations_from_wheel_name(path);
    by_wheel.wheel = contents_of(facts);
    facts.promised = merge({}, by_wheel, options.expected);
    const auto first = static_cast<std::ptrdiff_t>(report.files.size());
    const std::size_t count = for_each_module(bytes, [&](const WheelModule& module) {
        const std::string member(module.name);
        const Expectations by_name = expectations_from_path(member);
        const std::size_t before = report.files.size();
        const auto expected = check_subject(
            report, {path, member, module.bytes, by_name, by_wheel, true, nullptr, wheel.objects}, options);
        if (expected) {
            facts.binaries.push_back(to_binary(member, by_name, *expected, std::span(report.files).subspan(before)));
        }
        if (wheel.file != nullptr) {
            wheel.file->release_pages();
        }
    });
    if (count == 0) {
        FileReport none;
        none.path = path;
        none.status = FileStatus::not_checked;
        none.reason = "there is no extension module in it";
        report.files.push_back(std::move(none));
        return;
    }
    report.files.insert(report.files.begin() + first, report_on_wheel(path, facts, options));
}

// The package of a module is known from a wheel alone: the folders before a path are those of the machine.
Expectations expectations_of_file(const std::string& path) {
    std::error_code ignored;
    const std::filesystem::path absolute = std::filesystem::absolute(path_from_utf8(path), ignored);
    return expectations_from_path(absolute.empty() ? path : path_to_utf8(absolute));
}

void check_contents(Report& report, const Subject& subject, const CheckOptions& options) {
    try {
        if (file_type_of(subject.bytes) == FileType::zip) {
            check_wheel_file(report, subject, options);
        } else {
            check_subject(report, subject, options);
        }
    } catch (const Error& error) {
        report.files.push_back(unreadable(subject, error));
    }
}

void check_file(Report& report, const FoundFile& found, const Objects& objects, const CheckOptions& options) {
    Subject subject{found.path, {}, {}, expectations_of_file(found.path), {}, found.was_searched, nullptr, &objects};
    try {
        const FileBytes file = read_file(path_from_utf8(found.path));
        subject.bytes = file.bytes();
        subject.file = &file;
        check_contents(report, subject, options);
    } catch (const Error& error) {
        report.files.push_back(unreadable(subject, error));
    }
}

std::vector<std::string> symbols_of(const Report& report) {
    std::set<std::string> symbols;
    for (const FileReport& file : report.files) {
        for (const Finding& finding : file.findings) {
            if (!finding.symbol.empty()) {
                symbols.insert(finding.symbol);
            }
        }
    }
    return {symbols.begin(), symbols.end()};
}

void add_places(Report& report, const ReferencesBySymbol& references, const std::filesystem::path& here) {
    for (FileReport& file : report.files) {
        for (Finding& finding : file.findings) {
            const auto found = references.find(finding.symbol);
            const bool has_own_place = !finding.path.empty();
            if (has_own_place || finding.symbol.empty() || found == references.end()) {
                continue;
            }
            for (const Reference& reference : found->second) {
                const SourceLine line{shortened(reference.file, here), reference.line};
                const bool is_there =
                    std::find(finding.places.begin(), finding.places.end(), line) != finding.places.end();
                if (!line.file.empty() && !is_there) {
                    finding.places.push_back(line);
                }
            }
        }
    }
}

void find_places(Report& report, const Objects& objects) {
    const std::vector<std::string> symbols = symbols_of(report);
    if (symbols.empty()) {
        return;
    }
    const std::filesystem::path here = current_folder();
    for (const auto& [path, bytes] : objects.files) {
        if (object_format(bytes) != ObjectFormat::elf) {
            continue;  // of the others no references are read
        }
        try {
            add_places(report, references(bytes, symbols), here);
        } catch (const Error& error) {
            fail_on_object(path, error);
        }
    }
}

}  // namespace

Report check_files(std::span<const std::string> paths, const CheckOptions& options) {
    const std::vector<FoundFile> files = find_files(paths);
    const Objects objects = read_objects(options.objects, {});
    std::vector<Report> parts(files.size());
    for_each_index(files.size(), options.threads,
                   [&](std::size_t index) { check_file(parts[index], files[index], objects, options); });
    Report report;
    for (Report& part : parts) {
        std::move(part.files.begin(), part.files.end(), std::back_inserter(report.files));
    }
    compare_releases(report, options.suppressions);
    find_places(report, objects);
    return report;
}

Report check_bytes(const std::string& path, std::span<const std::byte> bytes, const CheckOptions& options,
                   std::span<const ObjectInMemory> in_memory) {
    Report report;
    const Objects objects = read_objects(options.objects, in_memory);
    check_contents(report, {path, {}, bytes, expectations_of_file(path), {}, false, nullptr, &objects}, options);
    find_places(report, objects);
    return report;
}

}  // namespace nasm_build::inspect
