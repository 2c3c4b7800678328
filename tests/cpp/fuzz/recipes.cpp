// See recipes.hpp.
#include "recipes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/error.hpp"
#include "faults.hpp"

namespace nasm_build::fuzz {

namespace {

std::vector<std::string> parts_of(const std::string& line) {
    std::vector<std::string> parts;
    std::istringstream stream(line);
    for (std::string part; std::getline(stream, part, '|');) {
        const std::size_t start = part.find_first_not_of(' ');
        const std::size_t end = part.find_last_not_of(' ');
        parts.push_back(start == std::string::npos ? "" : part.substr(start, end - start + 1));
    }
    return parts;
}

Input make(const std::vector<std::string>& parts, std::span<const Seed> seeds) {
    constexpr std::size_t columns = 6;
    if (parts.size() != columns) {
        throw Error(fmt::format("it has {} parts, not {}", parts.size(), columns));
    }
    const auto seed = std::find_if(seeds.begin(), seeds.end(), [&](const Seed& one) {
        return one.path.filename() == std::filesystem::path(parts[0]);
    });
    if (seed == seeds.end()) {
        throw Error("there is no sample " + parts[0]);
    }
    const auto table =
        std::find_if(seed->layout.begin(), seed->layout.end(), [&](const Table& one) { return one.name == parts[1]; });
    const std::size_t entry = std::stoull(parts[2]);
    const std::size_t field = std::stoull(parts[3]);
    if (table == seed->layout.end() || entry >= table->count || field >= table->fields.size()) {
        throw Error(fmt::format("{} has no such field", parts[0]));
    }
    const auto good = seed->bytes();
    Input input{seed->names.front(), {good.begin(), good.end()}, true};
    fuzz::apply(fault_in(*table, entry, table->fields[field], std::stoull(parts[4], nullptr, 0)), input.bytes);
    return input;
}

}  // namespace

std::vector<RecipeInput> recipe_inputs(const std::filesystem::path& folder, const std::string& format,
                                       std::span<const Seed> seeds) {
    const std::filesystem::path path = folder / (format + ".txt");
    std::ifstream stream(path);
    if (!stream) {
        throw Error(path.string() + ": it cannot be read");
    }
    std::vector<RecipeInput> inputs;
    std::size_t number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        if (line.empty() || line.front() == '#') {
            continue;
        }
        try {
            inputs.push_back({fmt::format("{}.txt-{}", format, number), make(parts_of(line), seeds)});
        } catch (const std::exception& error) {
            throw Error(fmt::format("{}:{}: {}", path.string(), number, error.what()));
        }
    }
    return inputs;
}

}  // namespace nasm_build::fuzz
