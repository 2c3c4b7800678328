#include "toolchain/coff_symbols.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "base/error.hpp"

namespace nasm_build::toolchain {

namespace {

constexpr std::uint64_t machine_amd64 = 0x8664;
constexpr std::size_t header_size = 20;
constexpr std::size_t symbol_size = 18;
constexpr std::size_t short_name_size = 8;
constexpr std::uint64_t class_external = 2;

Error not_an_object() {
    return Error("is no whole COFF object for x86-64", "build it again");
}

std::uint64_t little(std::span<const std::byte> bytes, std::size_t offset, std::size_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) {
        throw not_an_object();
    }
    std::uint64_t number = 0;
    for (std::size_t index = size; index > 0; --index) {
        number = number << 8U | std::to_integer<std::uint64_t>(bytes[offset + index - 1]);
    }
    return number;
}

// Text up to a zero byte, or to the end of the field.
std::string text_at(std::span<const std::byte> bytes, std::size_t offset, std::size_t longest) {
    if (offset > bytes.size()) {
        throw not_an_object();
    }
    const auto field = bytes.subspan(offset, std::min(longest, bytes.size() - offset));
    const auto end = std::find(field.begin(), field.end(), std::byte{0});
    std::string text;
    std::transform(field.begin(), end, std::back_inserter(text),
                   [](std::byte letter) { return static_cast<char>(std::to_integer<unsigned char>(letter)); });
    return text;
}

}  // namespace

std::vector<std::string> defined_names(std::span<const std::byte> object) {
    if (little(object, 0, 2) != machine_amd64) {
        throw not_an_object();
    }
    const std::size_t table = little(object, 8, 4);
    const std::size_t count = little(object, 12, 4);
    if (table < header_size || table > object.size() || count > (object.size() - table) / symbol_size) {
        throw not_an_object();
    }
    const std::size_t strings = table + count * symbol_size;
    std::vector<std::string> names;
    for (std::size_t index = 0; index < count; ++index) {
        const std::size_t symbol = table + index * symbol_size;
        const std::uint64_t section = little(object, symbol + 12, 2);
        const bool is_defined = section != 0 && section < 0xFFFE;  // absolute and debug symbols are 0xFFFF and 0xFFFE
        if (is_defined && little(object, symbol + 16, 1) == class_external) {
            const bool is_long = little(object, symbol, 4) == 0;
            names.push_back(is_long ? text_at(object, strings + little(object, symbol + 4, 4), object.size())
                                    : text_at(object, symbol, short_name_size));
        }
        index += little(object, symbol + 17, 1);  // auxiliary records are counted as symbols
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool is_entry_point(std::string_view name) noexcept {
    constexpr auto prefixes = std::to_array<std::string_view>({"PyInit_", "PyInitU_", "PyModExport_", "PyModExportU_"});
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace nasm_build::toolchain
