// See seeds.hpp.
#include "seeds.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "code_damage.hpp"
#include "damage.hpp"
#include "pack.hpp"
#include "pairs.hpp"

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
    Seed seed{path, inspect::read_file(path), {}, {}, {}};
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
        const std::span<const std::byte> good = seed.bytes();
        members.push_back(
            {name, i == 0 ? damage(good, seed.layout, random) : std::vector<std::byte>(good.begin(), good.end())});
    }
    members.push_back({"pkg-1.0.dist-info/WHEEL", {}});
    return pack(members);
}

// `elf-plain.so` for `elf/plain.so`: files of three formats have one name.
std::filesystem::path joined_name(const std::filesystem::path& path) {
    return path.parent_path().filename().string() + "-" + path.filename().string();
}

// The modules of all three formats that have code for x86-64, by the first of their names, which is that of an extension module.
std::vector<Seed> seeds_of_code(SeedsByFormat& seeds) {
    std::vector<Seed> found;
    for (const char* const format : {"elf", "macho", "pe"}) {
        for (Seed& seed : seeds[format]) {
            seed.layout = layout_of_code(seed.bytes());
            if (std::any_of(seed.layout.begin(), seed.layout.end(),
                            [](const Table& table) { return table.name == "code"; })) {
                seed.names.resize(1);
                seed.path = joined_name(seed.path);
                found.push_back(std::move(seed));
            }
        }
    }
    return found;
}

// Modules that have their object beside them.
std::vector<Seed> seeds_of_lines(SeedsByFormat& seeds) {
    std::vector<Seed> found;
    for (const char* const format : {"elf", "macho", "pe"}) {
        for (const Seed& module : seeds[format]) {
            std::filesystem::path item = module.path;
            item.replace_extension(".o");
            if (!std::filesystem::is_regular_file(item)) {
                continue;
            }
            const inspect::FileBytes object = inspect::read_file(item);
            Seed seed{joined_name(item), {}, {}, {}, {}};
            seed.pair = join(module.bytes(), object.bytes());
            seed.layout = layout_of_pair(seed.pair);
            seed.names = {module.names.front()};
            found.push_back(std::move(seed));
        }
    }
    return found;
}

Layout debug_tables(const Layout& layout) {
    Layout found;
    std::copy_if(layout.begin(), layout.end(), std::back_inserter(found),
                 [](const Table& table) { return table.name.starts_with("debug "); });
    return found;
}

SeedsByFormat load_files(std::span<const std::filesystem::path> paths, std::uint64_t size_limit) {
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

}  // namespace

SeedsByFormat load_seeds(std::span<const std::filesystem::path> paths, std::uint64_t size_limit,
                         const std::string& format) {
    SeedsByFormat seeds = load_files(paths, size_limit);
    if (!is_verified(format)) {
        return seeds;
    }
    SeedsByFormat verified;
    std::vector<Seed> own = format == "lines" ? seeds_of_lines(seeds) : seeds_of_code(seeds);
    if (!own.empty()) {
        verified.emplace(format, std::move(own));
    }
    return verified;
}

bool is_verified(std::string_view format) noexcept {
    return format == "code" || format == "stream" || format == "lines";
}

Layout layout_for(const std::string& format, std::span<const std::byte> bytes) {
    if (format == "lines") {
        return layout_of_pair(bytes);
    }
    Layout layout = is_verified(format) ? layout_of_code(bytes) : layout_of(bytes);
    return layout.empty() ? layout_of(bytes) : layout;
}

std::vector<std::byte> damage_for(const std::string& format, std::span<const std::byte> bytes, const Layout& layout,
                                  Random& random) {
    if (format == "code") {
        return damage_code(bytes, layout, random);
    }
    if (format == "stream") {
        return with_stream(bytes, layout, random);
    }
    if (format == "lines" &&
        random.below(4) != 0) {  // most of what is wrong elsewhere is refused before a line is read
        const Layout debug = debug_tables(layout);
        return debug.empty() ? damage(bytes, layout, random) : damage(bytes, debug, random, false);
    }
    return damage(bytes, layout, random);
}

Input damaged_input(const SeedsByFormat& seeds, const std::string& format, std::uint64_t index, Random& random) {
    const std::vector<Seed>& own = seeds.at(format);
    const Seed& seed = own[index % own.size()];
    Input input{{}, {}, index % 16 == 0};
    input.name = seed.names[random.below(seed.names.size())];
    const bool is_nested = format == "wheel" && random.below(3) == 0;
    input.bytes =
        is_nested ? wheel_of_damaged_modules(seeds, random) : damage_for(format, seed.bytes(), seed.layout, random);
    return input;
}

Outcome check_input(const std::string& format, const Input& input) {
    if (format == "object") {
        return check_object(input.bytes);
    }
    if (format == "lines") {
        const Pair pair = split(input.bytes);
        return check_verified(input.name, pair.module, pair.object, input.every_report);
    }
    return is_verified(format) ? check_verified(input.name, input.bytes, {}, input.every_report)
                               : check_whole(input.name, input.bytes, input.every_report);
}

}  // namespace nasm_build::fuzz
