#include "toolchain/macho_names.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <unordered_set>

namespace nasm_build::toolchain {

namespace {

constexpr std::uint64_t length_in_record = 8;

MachoPlace place_of(const MachoSymbol& symbol) {
    return {.section = symbol.section, .address = symbol.value};
}

MachoPlace start_of(const MachoFunction& function) {
    return function.start;
}

// The last element that lies at `place` or before it in the same section, of those sorted by place.
template <typename Element, typename PlaceOf>
const Element* last_until(const std::vector<Element>& sorted, const MachoPlace& place, PlaceOf place_of_element) {
    const auto after = std::upper_bound(
        sorted.begin(), sorted.end(), place,
        [&](const MachoPlace& wanted, const Element& element) { return wanted < place_of_element(element); });
    const Element* before = after == sorted.begin() ? nullptr : &*std::prev(after);
    return before != nullptr && place_of_element(*before).section == place.section ? before : nullptr;
}

// Whether the symbol lies behind the first byte of a function and before its end.
bool is_inside(const MachoSymbol& symbol, const std::vector<MachoFunction>& functions) {
    const MachoFunction* function = last_until(functions, place_of(symbol), start_of);
    return function != nullptr && symbol.value != function->start.address &&
           symbol.value - function->start.address < function->length;
}

bool begins_function(const MachoSymbol& symbol, const std::vector<MachoFunction>& functions) {
    const MachoFunction* function = last_until(functions, place_of(symbol), start_of);
    return function != nullptr && symbol.value == function->start.address;
}

// NASM writes a dot into the names of all labels that are another's own, and of those that macros make.
bool is_name_by_itself(const MachoSymbol& symbol, const std::vector<MachoFunction>& functions) {
    if (symbol.is_global() || symbol.is_debugging() || !(symbol.is_in_section() || symbol.is_absolute())) {
        return true;
    }
    return symbol.is_in_section() && symbol.name.find('.') == std::string_view::npos && !is_inside(symbol, functions);
}

}  // namespace

std::vector<MachoFunction> functions_with_unwind_data(const ObjectBytes& bytes, const MachoLayout& layout) {
    std::vector<MachoFunction> found;
    for (const MachoRelocation& relocation : layout.relocations) {
        const MachoSection& section = layout.sections[relocation.section];
        if (section.is_compact_unwind && !relocation.names_symbol && relocation.width == 8 &&
            relocation.offset % unwind_record_size == 0 &&
            section.contents.size - relocation.offset >= unwind_record_size) {
            const std::uint64_t record = layout.field(relocation);
            found.push_back({.start = {.section = relocation.target, .address = bytes.number(record, 8)},
                             .length = bytes.number(record + length_in_record, 4)});
        }
    }
    std::sort(found.begin(), found.end(),
              [](const MachoFunction& one, const MachoFunction& other) { return one.start < other.start; });
    return found;
}

MachoNames::MachoNames(const MachoLayout& layout, const std::vector<MachoFunction>& functions)
    : layout_(layout), names_(layout.symbols.size()) {
    for (std::size_t index = 0; index < names_.size(); ++index) {
        names_[index] = is_name_by_itself(layout.symbols[index], functions);
    }
    sort_anchors();
    for (const std::uint32_t index : functions_with_a_dot(functions)) {
        names_[index] = true;
    }
    sort_anchors();
}

// Of each function at whose first byte no name stands, one of the labels there: best one that is its own name and not another's
// label, which NASM writes as that name, a dot and the label. Without any symbol, lld loses the record (measured, 14 and 22).
std::vector<std::uint32_t> MachoNames::functions_with_a_dot(const std::vector<MachoFunction>& functions) const {
    std::unordered_set<std::string_view> known;
    for (const MachoSymbol& symbol : layout_.symbols) {
        known.insert(symbol.name);
    }
    const auto is_own_name = [&](std::uint32_t index) {
        const std::string_view name = layout_.symbols[index].name;
        return !name.starts_with("..@") && known.count(name.substr(0, name.rfind('.'))) == 0;
    };
    std::map<MachoPlace, std::uint32_t> chosen;
    for (std::uint32_t index = 0; index < names_.size(); ++index) {
        const MachoSymbol& symbol = layout_.symbols[index];
        if (names_[index] || !symbol.is_in_section() || !begins_function(symbol, functions)) {
            continue;
        }
        const std::uint32_t* other = last_anchor(symbol);
        if (other != nullptr && layout_.symbols[*other].value == symbol.value) {
            continue;
        }
        const auto [place, is_first] = chosen.try_emplace(place_of(symbol), index);
        if (!is_first && !is_own_name(place->second)) {
            place->second = index;
        }
    }
    std::vector<std::uint32_t> found;
    found.reserve(chosen.size());
    for (const auto& [place, index] : chosen) {
        found.push_back(index);
    }
    return found;
}

std::optional<std::uint32_t> MachoNames::anchor(std::uint32_t label) const {
    const MachoSymbol& symbol = layout_.symbols[label];
    const std::uint32_t* found = symbol.is_in_section() ? last_anchor(symbol) : nullptr;
    if (found == nullptr) {
        return std::nullopt;
    }
    const bool is_code = layout_.sections[symbol.section - 1U].is_code;
    return is_code || layout_.symbols[*found].value == symbol.value ? std::optional(*found) : std::nullopt;
}

// A weak definition is no anchor: the linker may take another in its place.
void MachoNames::sort_anchors() {
    anchors_.clear();
    for (std::uint32_t index = 0; index < names_.size(); ++index) {
        const MachoSymbol& symbol = layout_.symbols[index];
        if (names_[index] && symbol.is_in_section() && !symbol.is_weak()) {
            anchors_.push_back(index);
        }
    }
    std::stable_sort(anchors_.begin(), anchors_.end(), [&](std::uint32_t one, std::uint32_t other) {
        return place_of(layout_.symbols[one]) < place_of(layout_.symbols[other]);
    });
}

const std::uint32_t* MachoNames::last_anchor(const MachoSymbol& symbol) const {
    return last_until(anchors_, place_of(symbol),
                      [&](std::uint32_t index) { return place_of(layout_.symbols[index]); });
}

}  // namespace nasm_build::toolchain
