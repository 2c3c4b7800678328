// See seeds.hpp.
#include "seeds.hpp"

#include <algorithm>
#include <array>

#include "damage.hpp"
#include "pack.hpp"

namespace nasm_build::fuzz {

namespace {

std::string format_of(const std::filesystem::path& path, std::span<const std::byte> bytes) {
    constexpr std::size_t object_kind = 16;
    switch (inspect::file_type_of(bytes)) {
        case inspect::FileType::elf:
            if (path.extension() == ".o") {
                return "object";
            }
            return bytes.size() > object_kind ? "elf" : "";
        case inspect::FileType::pe:
            return "pe";
        case inspect::FileType::macho:
        case inspect::FileType::macho_fat:
            return path.extension() == ".o" ? "" : "macho";
        case inspect::FileType::zip:
            return "wheel";
        case inspect::FileType::other:
            break;
    }
    return {};
}

void add_seed(const std::filesystem::path& path, std::uint64_t size_limit, SeedsByFormat& seeds) {
    if (std::filesystem::file_size(path) > size_limit) {
        return;
    }
    Seed seed{path, inspect::read_file(path), {}, {}};
    const std::string format = format_of(path, seed.file.bytes());
    if (!format.empty()) {
        seed.layout = layout_of(seed.file.bytes());
        seed.names = names_for(format, path.filename().string());
        seeds[format].push_back(std::move(seed));
    }
}

/// One to three modules of any format, one of them damaged, in an archive that is sound.
std::vector<std::byte> wheel_of_damaged_modules(const SeedsByFormat& seeds, Random& random) {
    constexpr std::array<const char*, 3> formats = {"elf", "pe", "macho"};
    std::vector<Member> members;
    const std::uint64_t count = 1 + random.below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto found = seeds.find(formats.at(random.below(formats.size())));
        if (found == seeds.end()) {
            continue;
        }
        const Seed& seed = found->second[random.below(found->second.size())];
        const std::string name = "pkg/m" + std::to_string(i) + seed.names[random.below(seed.names.size())];
        const std::span<const std::byte> good = seed.file.bytes();
        members.push_back(
            {name, i == 0 ? damage(good, seed.layout, random) : std::vector<std::byte>(good.begin(), good.end())});
    }
    members.push_back({"pkg-1.0.dist-info/WHEEL", {}});
    return pack(members);
}

}  // namespace

SeedsByFormat load_seeds(std::span<const std::filesystem::path> paths, std::uint64_t size_limit) {
    SeedsByFormat seeds;
    for (const auto& path : paths) {
        if (!std::filesystem::is_directory(path)) {
            add_seed(path, size_limit, seeds);
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
            add_seed(file, size_limit, seeds);
        }
    }
    return seeds;
}

Input damaged_input(const SeedsByFormat& seeds, const std::string& format, std::uint64_t index, Random& random) {
    const std::vector<Seed>& own = seeds.at(format);
    const Seed& seed = own[index % own.size()];
    Input input{{}, {}, index % 16 == 0};
    input.name = seed.names[random.below(seed.names.size())];
    const bool is_nested = format == "wheel" && random.below(3) == 0;
    input.bytes = is_nested ? wheel_of_damaged_modules(seeds, random) : damage(seed.file.bytes(), seed.layout, random);
    return input;
}

Outcome check_input(const std::string& format, const Input& input) {
    return format == "object" ? check_object(input.bytes) : check_whole(input.name, input.bytes, input.every_report);
}

}  // namespace nasm_build::fuzz
