// nasm-ext-mutate: damages good files and checks every one of them in this process, from its bytes to the reports.
//
//     nasm-ext-mutate --format elf|pe|macho|wheel|object|code|stream|lines [--first I] [--count N] [--seed S] [--faults]
//                     [--failures FOLDER] [--time-limit SECONDS] [--largest-seed BYTES] SEED…
//     nasm-ext-mutate --format FORMAT --recipes FOLDER SEED…
//     nasm-ext-mutate --write-corpus FOLDER [--recipes FOLDER] [--largest-seed BYTES] SEED…
//
// The inputs I to I + N - 1 are made from the seed files (folders are searched); the same numbers make the same inputs. With
// --faults they are the faulty fields of every seed, one field an input, N of them spread evenly over all. Exit status 1: an input
// took over 2 seconds, the process grew by over 500 MB, or the check ended in anything but a report. A crash leaves its input in
// FOLDER. The last line of the output is for programs. --recipes takes the inputs of recipes.hpp. --write-corpus writes the seeds, a
// choice of faulty fields and the recipes as files. `code` damages instructions and unwind tables, `stream` puts made-up instructions into
// code, `lines` damages the object of a module (seeds.hpp); these three verify calling conventions too. Time is the
// processor's: other work on the machine does not count.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "faults.hpp"
#include "recipes.hpp"
#include "seeds.hpp"
#include "watch.hpp"

namespace {

using namespace nasm_build;

constexpr std::uint64_t memory_limit = std::uint64_t{500} * 1000 * 1000;
// A sanitizer keeps freed memory and shadows all of it: memory is judged in the plain build alone.
constexpr bool judges_memory = !fuzz::is_sanitized;

struct Options {
    std::string format;
    std::uint64_t first = 0;
    std::uint64_t count = 600;
    std::uint64_t seed = 1;
    bool faults = false;
    double time_limit = 2.0;
    std::uint64_t largest_seed = std::uint64_t{4} << 20U;
    std::filesystem::path failures = "failures";
    std::filesystem::path corpus;
    std::filesystem::path recipes;
    std::vector<std::filesystem::path> seeds;
};

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
        if (word == "--format") {
            options.format = value();
        } else if (word == "--first") {
            options.first = std::stoull(value());
        } else if (word == "--count") {
            options.count = std::stoull(value());
        } else if (word == "--seed") {
            options.seed = std::stoull(value());
        } else if (word == "--faults") {
            options.faults = true;
        } else if (word == "--time-limit") {
            options.time_limit = std::stod(value());
        } else if (word == "--largest-seed") {
            options.largest_seed = std::stoull(value());
        } else if (word == "--failures") {
            options.failures = value();
        } else if (word == "--write-corpus") {
            options.corpus = value();
        } else if (word == "--recipes") {
            options.recipes = value();
        } else if (word.starts_with("--")) {
            usage("there is no option " + word);
        } else {
            options.seeds.emplace_back(word);
        }
    }
    return options;
}

/// The kernel's counters of resident memory are not exact, and can go back by some pages.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) noexcept {
    return after > before ? after - before : 0;
}

/// Checks inputs one after the other, and measures each.
class Run {
public:
    Run(const Options& options, std::string format) : options_(options), format_(std::move(format)) {}

    void check(const fuzz::Input& input, std::uint64_t index) {
        const std::string name =
            fmt::format("{}-{}{}-{}", format_, options_.faults ? "fault-" : "", options_.seed, index);
        fuzz::watch_input(input.bytes, name);
        const std::clock_t start = std::clock();
        const fuzz::Outcome outcome = fuzz::check_input(format_, input);
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        ++(outcome.refused ? result_.refused : result_.read);
        if (!outcome.broken.empty()) {
            fail(name, input, outcome.broken);
        }
        judge_time(name, input, index, seconds);
        judge_memory(name, input, index);
    }

    [[nodiscard]] const Result& result() const noexcept { return result_; }

private:
    void fail(const std::string& name, const fuzz::Input& input, const std::string& what) {
        ++result_.failures;
        fmt::print(stderr, "{} as {}: {} (written to {})\n", name, input.name, what, fuzz::write_watched_input());
    }

    void judge_time(const std::string& name, const fuzz::Input& input, std::uint64_t index, double seconds) {
        if (seconds > result_.slowest) {
            result_.slowest = seconds;
            result_.slowest_index = index;
        }
        if (seconds > options_.time_limit) {
            fail(name, input, fmt::format("took {:.2f} s", seconds));
        }
    }

    void judge_memory(const std::string& name, const fuzz::Input& input, std::uint64_t index) {
        const fuzz::PeakMemory after = fuzz::peak_memory();
        const fuzz::PeakMemory growth{grown(before_.resident, after.resident), grown(before_.mapped, after.mapped)};
        before_ = after;
        if (growth.mapped > result_.growth.mapped || growth.resident > result_.growth.resident) {
            result_.growth_index = index;
        }
        result_.growth.resident = std::max(result_.growth.resident, growth.resident);
        result_.growth.mapped = std::max(result_.growth.mapped, growth.mapped);
        if (judges_memory && growth.mapped > memory_limit) {
            fail(name, input, fmt::format("took {} MB", growth.mapped / 1'000'000));
        }
    }

    const Options& options_;
    std::string format_;
    Result result_;
    fuzz::PeakMemory before_ = fuzz::peak_memory();
};

void run_damaged(Run& run, const Options& options, const fuzz::SeedsByFormat& seeds) {
    // One stream of numbers a format, so that their inputs differ.
    const std::uint64_t stream =
        static_cast<std::uint64_t>(std::distance(seeds.begin(), seeds.find(options.format))) + 1;
    for (std::uint64_t index = options.first; index < options.first + options.count; ++index) {
        fuzz::Random random(options.seed, stream, index);
        run.check(fuzz::damaged_input(seeds, options.format, index, random), index);
    }
}

fuzz::Input faulty_input(const fuzz::Seed& seed, const fuzz::Fault& fault, std::uint64_t index) {
    const auto good = seed.bytes();
    fuzz::Input input{seed.names.empty() ? std::string() : seed.names[index % seed.names.size()],
                      {good.begin(), good.end()},
                      index % 16 == 0};
    fuzz::apply(fault, input.bytes);
    return input;
}

void run_faults(Run& run, const Options& options, const std::vector<fuzz::Seed>& seeds) {
    std::uint64_t all = 0;
    for (const fuzz::Seed& seed : seeds) {
        all += fuzz::faults_of(seed.bytes(), seed.layout).size();
    }
    fmt::print("{}: {} faults in {} seeds\n", options.format, all, seeds.size());
    const std::uint64_t step = std::max<std::uint64_t>(1, all / std::max<std::uint64_t>(1, options.count));
    std::uint64_t index = 0;
    for (const fuzz::Seed& seed : seeds) {
        for (const fuzz::Fault& fault : fuzz::faults_of(seed.bytes(), seed.layout)) {
            if (++index % step == 0) {
                run.check(faulty_input(seed, fault, index), index);
            }
        }
    }
}

void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream) {
        usage(path.string() + " cannot be written");
    }
}

void write_corpus(const Options& options, const fuzz::SeedsByFormat& seeds) {
    constexpr std::uint64_t faults_a_seed = 40;
    for (const auto& [format, files] : seeds) {
        std::filesystem::create_directories(options.corpus / format);
        for (const fuzz::Seed& seed : files) {
            const std::string name = seed.path.filename().string();
            write_file(options.corpus / format / name, seed.bytes());
            const std::vector<fuzz::Fault> faults = fuzz::faults_of(seed.bytes(), seed.layout);
            const std::uint64_t step = std::max<std::uint64_t>(1, faults.size() / faults_a_seed);
            for (std::uint64_t i = 0; i < faults.size(); i += step) {
                write_file(options.corpus / format / fmt::format("{}-{}", name, i),
                           faulty_input(seed, faults[static_cast<std::size_t>(i)], i).bytes);
            }
        }
        if (!options.recipes.empty()) {
            for (const auto& [name, input] : fuzz::recipe_inputs(options.recipes, format, files)) {
                write_file(options.corpus / format / name, input.bytes);
            }
        }
    }
}

int run(const Options& options) {
    if (!options.corpus.empty()) {
        for (const char* const format : {"", "code", "lines"}) {
            write_corpus(options, fuzz::load_seeds(options.seeds, options.largest_seed, format));
        }
        return 0;
    }
    const fuzz::SeedsByFormat seeds = fuzz::load_seeds(options.seeds, options.largest_seed, options.format);
    if (!seeds.contains(options.format)) {
        usage(fmt::format("there is no seed of the format '{}'", options.format));
    }
    fuzz::start_watching(options.failures, 60);
    const fuzz::PeakMemory at_start = fuzz::peak_memory();
    const std::clock_t start = std::clock();
    Run inputs(options, options.format);
    if (!options.recipes.empty()) {
        std::uint64_t index = 0;
        for (const auto& [name, input] :
             fuzz::recipe_inputs(options.recipes, options.format, seeds.at(options.format))) {
            inputs.check(input, ++index);
        }
    } else if (options.faults) {
        run_faults(inputs, options, seeds.at(options.format));
    } else {
        run_damaged(inputs, options, seeds);
    }
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    const std::uint64_t for_inputs = grown(at_start.mapped, fuzz::peak_memory().mapped);
    Result result = inputs.result();
    // The peak of the whole run bounds that of every input, also of one that did not raise it.
    if (judges_memory && for_inputs > memory_limit) {
        fmt::print(stderr, "nasm-ext-mutate: error: the process grew by over {} MB\n", memory_limit / 1'000'000);
        ++result.failures;
    }
    fmt::print(
        R"({{"format": "{}", "inputs": {}, "read": {}, "refused": {}, "failed": {}, "seconds": {:.1f}, "slowest_ms": {:.1f}, )"
        R"("slowest_index": {}, "megabytes": {:.1f}, "megabytes_index": {}}})"
        "\n",
        options.format, result.read + result.refused, result.read, result.refused, result.failures, seconds,
        result.slowest * 1000, result.slowest_index, static_cast<double>(for_inputs) / 1e6, result.growth_index);
    return result.failures == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
    try {
        return run(parse_words(count, words));
    } catch (const std::exception& error) {
        usage(error.what());
    }
}
