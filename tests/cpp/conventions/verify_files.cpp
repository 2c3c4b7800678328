// nasm-ext-verify: verifies the calling conventions of every x86-64 image in files, extension module or not.
//
//     nasm-ext-verify FILE…
//
// `nasm-ext check --abi` verifies modules alone; this takes any ELF, PE or Mach-O file, and every module and library of a wheel.
// Prints JSON, an object a line: for each image `file`, `member` (of a wheel), `slice` (of a fat file) and either `passed_over`, the
// reason why nothing was verified, or what was found. Times are the processor's, of this one thread. Exit status 1 where a file is
// not there or cannot be read for another reason than what it holds.
#include <fmt/core.h>

#include <ctime>
#include <exception>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "inspect/abi/program.hpp"
#include "inspect/abi/verify.hpp"
#include "inspect/code/code.hpp"
#include "inspect/code/code_map.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"
#include "inspect/rules/abi.hpp"

namespace {

using namespace nasm_build;
using Json = nlohmann::ordered_json;

double milliseconds_since(std::clock_t start) {
    return static_cast<double>(std::clock() - start) * 1000 / CLOCKS_PER_SEC;
}

void print(const Json& line) {
    // Names in a damaged file need not be UTF-8.
    fmt::print("{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

/// Each fault in the words of `nasm-ext check`, once where it is told of several places with the same words.
Json faults_of(const inspect::abi::Verified& verified, const inspect::abi::Program& program,
               const inspect::Image& image) {
    Json faults = Json::array();
    std::set<std::string> told;
    for (const inspect::abi::Fault& fault : verified.faults) {
        inspect::abi::Verified one;
        one.faults.push_back(fault);
        one.functions = 1;
        for (const inspect::Finding& finding : inspect::check_abi(one, image, {}).findings) {
            if (!told.insert(finding.rule + finding.message).second) {
                continue;
            }
            Json way = Json::array();
            for (const inspect::abi::Step& step : fault.path) {
                way.push_back(step.location);
            }
            faults.push_back({{"rule", finding.rule},
                              {"severity", inspect::name_of(finding.severity)},
                              {"function", fault.name},
                              {"start", program.functions()[fault.function].address},
                              {"address", fault.address},
                              {"place", fault.location},
                              {"message", finding.message},
                              {"path", way},
                              {"assumes", fault.assumes}});
        }
    }
    return faults;
}

Json not_followed_of(const inspect::abi::Verified& verified, const inspect::abi::Program& program) {
    Json functions = Json::array();
    for (const inspect::abi::NotFollowed& one : verified.not_followed) {
        functions.push_back({{"function", one.name},
                             {"start", program.functions()[one.function].address},
                             {"address", one.address},
                             {"reason", one.reason}});
    }
    return functions;
}

void verify_image(Json line, std::span<const std::byte> bytes, const inspect::Image& image) {
    const auto pass_over = [&](const std::string& reason) {
        line["passed_over"] = reason;
        print(line);
    };
    if (!inspect::code::is_scanned(image)) {
        pass_over(fmt::format("it is code for {}", inspect::name_of(image.machine)));
        return;
    }
    if (image.contents.pieces.empty()) {
        pass_over(image.contents.missing.empty() ? "it has no contents" : image.contents.missing);
        return;
    }
    const std::clock_t start = std::clock();
    const inspect::code::CodeMap map =
        inspect::code::code_map(inspect::code::bytes_of(bytes, image), image, inspect::code::Frames::all);
    inspect::abi::Program program(map, image);
    const inspect::abi::Verified verified = inspect::abi::verify(program);
    line["milliseconds"] = milliseconds_since(start);
    line["format"] = inspect::name_of(image.format);
    line["functions"] = verified.functions;
    line["instructions"] = verified.instructions;
    line["code_bytes"] = inspect::code::code_size(image);
    line["not_followed"] = not_followed_of(verified, program);
    line["faults"] = faults_of(verified, program, image);
    print(line);
}

void verify_bytes(const Json& place, std::span<const std::byte> bytes) {
    try {
        const std::clock_t start = std::clock();
        const auto images = inspect::read_images(bytes, {.contents_of_all = true});
        const double reading = milliseconds_since(start);
        for (const inspect::Image& image : images) {
            Json line = place;
            line["slice"] = image.slice;
            line["reading_milliseconds"] = reading / static_cast<double>(images.size());
            verify_image(std::move(line), bytes, image);
        }
    } catch (const Error& error) {
        Json line = place;
        line["slice"] = "";
        line["passed_over"] = error.what();
        print(line);
    }
}

bool verify_file(const std::string& path) {
    const auto place = [&](std::string_view member) { return Json{{"file", path}, {"member", member}}; };
    try {
        const inspect::FileBytes file = inspect::read_file(path_from_utf8(path));
        if (inspect::file_type_of(file.bytes()) == inspect::FileType::zip) {
            inspect::for_each_module(file.bytes(), [&](const inspect::WheelModule& module) {
                verify_bytes(place(module.name), module.bytes);
            });
        } else {
            verify_bytes(place(""), file.bytes());
        }
        return true;
    } catch (const std::exception& error) {
        fmt::print(stderr, "nasm-ext-verify: {}: error: {}\n", path, error.what());
        return false;
    }
}

}  // namespace

int main(int count, char** words) {
    bool is_whole = true;
    for (const char* word : std::span(words, static_cast<std::size_t>(count)).subspan(1)) {
        is_whole = verify_file(word) && is_whole;
    }
    return is_whole ? 0 : 1;
}
