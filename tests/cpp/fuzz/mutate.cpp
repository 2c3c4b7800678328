// nasm-ext-mutate: damages good files and reads every one of them in this process.
//
//     nasm-ext-mutate [--reader images|wheel|object] [--count N] [--seed S] [--only FORMAT:INDEX] [--failures FOLDER] SEED…
//
// N inputs a format are made from the seed files (folders are searched). Exit status 1: an input took over 2 seconds, the
// process grew by over 500 MB, or a reader threw anything but an Error of one line. A crash leaves its input in FOLDER.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "damage.hpp"
#include "inspect/read/object.hpp"
#include "inspect/read/read.hpp"
#include "inspect/read/wheel.hpp"
#include "watch.hpp"

namespace {

using namespace nasm_build;
using Clock = std::chrono::steady_clock;

constexpr double time_limit_seconds = 2.0;
constexpr std::uint64_t memory_limit = std::uint64_t{500} * 1000 * 1000;
// A sanitizer keeps freed memory and shadows all of it: memory is judged in the plain build alone.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool judges_memory = false;
#else
constexpr bool judges_memory = true;
#endif

struct Options {
    std::string reader = "images";
    std::uint64_t count = 600;
    std::uint64_t seed = 1;
    std::string only_format;
    std::uint64_t only_index = 0;
    std::filesystem::path failures = "failures";
    std::vector<std::filesystem::path> seeds;
};

struct Seed {
    std::filesystem::path path;
    inspect::FileBytes file;
    std::vector<fuzz::Region> regions;
};

using SeedsByFormat = std::map<std::string, std::vector<Seed>>;

struct Result {
    std::uint64_t read = 0;
    std::uint64_t refused = 0;
    double slowest = 0;
    std::uint64_t slowest_index = 0;
    fuzz::PeakMemory growth;
    std::uint64_t growth_index = 0;
    std::uint64_t failures = 0;
};

[[noreturn]] void usage(const std::string& message) {
    fmt::print(stderr, "nasm-ext-mutate: error: {}\n", message);
    std::exit(2);
}

Options parse_words(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        const auto value = [&]() -> std::string {
            if (i + 1 >= count) {
                usage(word + " needs a value");
            }
            return words[++i];
        };
        if (word == "--reader") {
            options.reader = value();
        } else if (word == "--count") {
            options.count = std::stoull(value());
        } else if (word == "--seed") {
            options.seed = std::stoull(value());
        } else if (word == "--failures") {
            options.failures = value();
        } else if (word == "--only") {
            const std::string only = value();
            options.only_format = only.substr(0, only.find(':'));
            options.only_index = std::stoull(only.substr(only.find(':') + 1));
        } else if (word.starts_with("--")) {
            usage("there is no option " + word);
        } else {
            options.seeds.emplace_back(word);
        }
    }
    return options;
}

std::string format_of(const Options& options, const inspect::FileBytes& file) {
    switch (inspect::file_type_of(file.bytes())) {
        case inspect::FileType::elf:
            return options.reader == "object" ? "object" : "elf";
        case inspect::FileType::pe:
            return "pe";
        case inspect::FileType::macho:
        case inspect::FileType::macho_fat:
            return "macho";
        case inspect::FileType::zip:
            return "wheel";
        case inspect::FileType::other:
            break;
    }
    return {};
}

void add_seed(const Options& options, const std::filesystem::path& path, SeedsByFormat& seeds) {
    Seed seed{path, inspect::read_file(path), {}};
    const std::string format = format_of(options, seed.file);
    const bool fits = options.reader == "images" ? !format.empty() && format != "wheel" : format == options.reader;
    if (!fits || (options.reader == "object" && path.extension() != ".o")) {
        return;
    }
    seed.regions = fuzz::regions_of(seed.file.bytes());
    seeds[format].push_back(std::move(seed));
}

SeedsByFormat load_seeds(const Options& options) {
    SeedsByFormat seeds;
    for (const auto& path : options.seeds) {
        if (!std::filesystem::is_directory(path)) {
            add_seed(options, path, seeds);
            continue;
        }
        std::vector<std::filesystem::path> files;  // sorted: the same run on every machine
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path());
            }
        }
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            add_seed(options, file, seeds);
        }
    }
    if (seeds.empty()) {
        usage("there is no seed file that the reader knows");
    }
    return seeds;
}

std::function<void(std::span<const std::byte>)> reader_of(const Options& options) {
    if (options.reader == "images") {
        return [](std::span<const std::byte> bytes) { static_cast<void>(inspect::read_images(bytes)); };
    }
    if (options.reader == "wheel") {
        return [](std::span<const std::byte> bytes) {
            static_cast<void>(inspect::for_each_module(bytes, [](const inspect::WheelModule&) {}));
        };
    }
    if (options.reader == "object") {
        return [](std::span<const std::byte> bytes) { static_cast<void>(inspect::references_to_undefined(bytes)); };
    }
    usage("--reader takes images, wheel or object");
}

void fail(Result& result, const std::string& input, const std::string& what) {
    ++result.failures;
    const std::string path = fuzz::write_watched_input();
    fmt::print(stderr, "{}: {} (written to {})\n", input, what, path);
}

/// Reads one input; everything but an Image or an Error of one line is a failure.
void read_one(const std::function<void(std::span<const std::byte>)>& reader, std::span<const std::byte> bytes,
              const std::string& input, Result& result) {
    try {
        reader(bytes);
        ++result.read;
    } catch (const Error& error) {
        ++result.refused;
        const std::string_view message = error.what();
        if (message.empty() || message.find('\n') != std::string_view::npos) {
            fail(result, input, fmt::format("the message is not one line: {}", message));
        }
    } catch (const std::exception& error) {
        fail(result, input, fmt::format("an exception that is no Error: {}", error.what()));
    }
}

/// The kernel's counters of resident memory are not exact, and can go back by some pages.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) noexcept {
    return after > before ? after - before : 0;
}

Result run(const Options& options, const std::string& format, const std::vector<Seed>& seeds, std::uint64_t stream) {
    const auto reader = reader_of(options);
    const bool single = !options.only_format.empty();
    const std::uint64_t first = single ? options.only_index : 0;
    const std::uint64_t last = single ? options.only_index + 1 : options.count;
    Result result;
    for (std::uint64_t index = first; index < last; ++index) {
        fuzz::Random random(options.seed, stream, index);
        const Seed& seed = seeds[random.below(seeds.size())];
        const std::vector<std::byte> bytes = fuzz::damage(seed.file.bytes(), seed.regions, random);
        const std::string input =
            fmt::format("{}:{} (--seed {}, from {})", format, index, options.seed, seed.path.filename().string());
        fuzz::watch_input(bytes, fmt::format("{}-{}-{}", format, options.seed, index));
        const fuzz::PeakMemory before = fuzz::peak_memory();
        const auto start = Clock::now();
        read_one(reader, bytes, input, result);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        const fuzz::PeakMemory after = fuzz::peak_memory();
        if (seconds > result.slowest) {
            result.slowest = seconds;
            result.slowest_index = index;
        }
        if (seconds > time_limit_seconds) {
            fail(result, input, fmt::format("took {:.2f} s", seconds));
        }
        const fuzz::PeakMemory growth{grown(before.resident, after.resident), grown(before.mapped, after.mapped)};
        if (growth.mapped > result.growth.mapped || growth.resident > result.growth.resident) {
            result.growth_index = index;
        }
        result.growth.resident = std::max(result.growth.resident, growth.resident);
        result.growth.mapped = std::max(result.growth.mapped, growth.mapped);
        if (judges_memory && growth.mapped > memory_limit) {
            fail(result, input, fmt::format("took {} MB", growth.mapped / 1'000'000));
        }
    }
    return result;
}

}  // namespace

int main(int count, char** words) {
    const Options options = parse_words(count, words);
    const SeedsByFormat seeds = load_seeds(options);
    fuzz::start_watching(options.failures, 60);
    const fuzz::PeakMemory at_start = fuzz::peak_memory();
    std::uint64_t failures = 0;
    std::uint64_t stream = 0;
    for (const auto& [format, files] : seeds) {
        ++stream;
        if (!options.only_format.empty() && options.only_format != format) {
            continue;
        }
        const Result result = run(options, format, files, stream);
        failures += result.failures;
        fmt::print(
            "{}: {} inputs from {} seeds: {} read, {} refused, {} failed; slowest {:.1f} ms (index {}); "
            "peak grew by at most {:.1f} MB resident, {:.1f} MB mapped in one input (index {})\n",
            format, result.read + result.refused, files.size(), result.read, result.refused, result.failures,
            result.slowest * 1000, result.slowest_index, static_cast<double>(result.growth.resident) / 1e6,
            static_cast<double>(result.growth.mapped) / 1e6, result.growth_index);
    }
    const fuzz::PeakMemory at_end = fuzz::peak_memory();
    const std::uint64_t for_inputs = grown(at_start.mapped, at_end.mapped);
    fmt::print("the process's peak: {:.1f} MB resident, {:.1f} MB mapped, {:.1f} MB of it for the inputs{}\n",
               static_cast<double>(at_end.resident) / 1e6, static_cast<double>(at_end.mapped) / 1e6,
               static_cast<double>(for_inputs) / 1e6, judges_memory ? "" : " (not judged under a sanitizer)");
    // The peak of the whole run bounds that of every input, also of one that did not raise it.
    if (judges_memory && for_inputs > memory_limit) {
        fmt::print(stderr, "nasm-ext-mutate: error: the process grew by over {} MB\n", memory_limit / 1'000'000);
        ++failures;
    }
    return failures == 0 ? 0 : 1;
}
