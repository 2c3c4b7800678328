#include "inspect/report/fingerprint.hpp"

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

#include "inspect/rules/libraries.hpp"

namespace nasm_build::inspect {

namespace {

// A wheel is told by its distribution's name alone, so that the next version's findings are known again.
std::string_view lasting_name(std::string_view path) {
    const std::string_view name = base_name(path);
    return name.ends_with(".whl") ? name.substr(0, name.find('-')) : name;
}

// A module's name without the suffix that says which CPython it is for: `pkg/mod.cpython-313-….so` is `pkg/mod`.
std::string_view without_suffix(std::string_view path) {
    const std::size_t start = path.size() - base_name(path).size();
    const std::size_t dot = path.find('.', start);
    return path.substr(0, dot == start ? std::string_view::npos : dot);
}

// FNV-1a, 64 bits (Fowler, Noll and Vo): enough to tell the findings of one project apart, and the same everywhere.
class Hash {
public:
    void add(std::string_view text) noexcept {
        for (const char letter : text) {
            add(static_cast<unsigned char>(letter));
        }
        add(0U);  // "ab" and "c" are not "a" and "bc"
    }

    [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

private:
    void add(unsigned byte) noexcept {
        constexpr std::uint64_t prime = 0x100000001B3;
        value_ = (value_ ^ byte) * prime;
    }

    std::uint64_t value_ = 0xCBF29CE484222325;
};

}  // namespace

std::string Fingerprints::next(const FileReport& file, const Finding& finding) {
    Hash hash;
    hash.add(finding.rule);
    hash.add(file.member.empty() ? without_suffix(lasting_name(file.path)) : lasting_name(file.path));
    hash.add(without_suffix(file.member));
    hash.add(file.slice);
    hash.add(finding.symbol.empty() ? finding.message : finding.symbol);
    const std::string text = fmt::format("{:016x}", hash.value());
    return fmt::format("{}:{}", text, ++seen_[text]);
}

}  // namespace nasm_build::inspect
