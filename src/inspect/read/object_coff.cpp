// Sections, symbols and relocations come from toolchain/coff_layout.cpp, lines from codeview_lines.cpp.
#include "inspect/read/object_coff.hpp"

#include <algorithm>

#include "base/byte_view.hpp"
#include "inspect/read/codeview_lines.hpp"
#include "inspect/read/guard.hpp"
#include "inspect/read/object_code.hpp"
#include "toolchain/coff_layout.hpp"

namespace nasm_build::inspect::coff {

namespace {

using toolchain::CoffRelocation;

/// The width of the field of a relocation, by its type ("PE Format", x64 processors).
std::uint64_t field_size(std::uint16_t type) {
    constexpr std::uint16_t absolute = 0, address_64 = 1, section = 10, section_relative_7 = 12;
    switch (type) {
        case absolute:
            return 0;
        case address_64:
            return 8;
        case section:
            return 2;
        case section_relative_7:
            return 1;
        default:
            return 4;
    }
}

class Object {
public:
    explicit Object(ByteView file)
        : file_(file), symbols_(toolchain::coff_symbols(file)), headers_(toolchain::coff_section_headers(file)) {
        for (const std::uint64_t header : headers_) {
            names_.push_back(toolchain::coff_section_name(file_, symbols_, header));
            require_relocations_to_fit(header);
        }
    }

    std::vector<ObjectCode> code() {
        read_code();
        read_symbols();
        read_lines();
        std::vector<ObjectCode> found;
        for (std::size_t section = 0; section < code_.size(); ++section) {
            if (is_code(headers_[section])) {
                found.push_back(std::move(code_[section]));
            }
        }
        return found;
    }

private:
    [[nodiscard]] bool is_code(std::uint64_t header) const {
        constexpr std::uint32_t code = 0x20, removed = 0x800, executable = 0x20000000;  // IMAGE_SCN_…
        const auto flags = file_.load<std::uint32_t>(header + 36);
        return (flags & (code | executable)) != 0 && (flags & removed) == 0;
    }

    [[nodiscard]] ByteView contents(std::uint64_t header) const {
        const auto size = file_.load<std::uint32_t>(header + 16);
        const auto start = file_.load<std::uint32_t>(header + 20);
        return start == 0 ? ByteView{} : file_.part(start, size);
    }

    // Each section's are read once, so that tables which lie upon each other would be read once a section.
    void require_relocations_to_fit(std::uint64_t header) {
        relocations_size_ += toolchain::coff_relocations(file_, symbols_, header).size() * 10;
        if (relocations_size_ > file_.size()) {
            fail_damaged("its tables of relocations overlap");
        }
    }

    void read_code() {
        std::uint64_t size = 0;
        code_.resize(headers_.size());
        for (std::size_t section = 0; section < headers_.size(); ++section) {
            if (!is_code(headers_[section])) {
                continue;
            }
            const ByteView bytes = contents(headers_[section]);
            size += bytes.size();
            require_disjoint_code(size, file_.size());
            code_[section] = bare_code(std::string(names_[section]), bytes.bytes());
            for (const CoffRelocation& relocation : toolchain::coff_relocations(file_, symbols_, headers_[section])) {
                mark_patched(code_[section], relocation.offset,
                             std::uint64_t{relocation.offset} + field_size(relocation.type));
            }
        }
    }

    // From 1 on; 0 is undefined, and the highest are absolute and debugging.
    [[nodiscard]] std::uint32_t section_of(std::uint64_t symbol) const {
        return file_.load<std::uint16_t>(symbols_.place(symbol) + 12);
    }

    void read_symbols() {
        NameBudget budget(name_budget(file_.size()) * 8);
        for (std::uint64_t index = 0; index < symbols_.count; ++index) {
            const std::uint64_t place = symbols_.place(index);
            const std::uint32_t section = section_of(index);
            const auto kind = file_.load<std::uint8_t>(place + 16);
            const auto auxiliary = file_.load<std::uint8_t>(place + 17);
            const bool is_name =
                kind == toolchain::coff_class_external || kind == toolchain::coff_class_label ||
                (kind == toolchain::coff_class_static && auxiliary == 0);  // with more it is a section's
            if (is_name && section != 0 && section <= headers_.size() && is_code(headers_[section - 1])) {
                const std::string_view name = toolchain::coff_symbol_name(file_, symbols_, index);
                budget.take(name);
                code_[section - 1].symbols.push_back(
                    {std::string(name), file_.load<std::uint32_t>(place + 8), kind == toolchain::coff_class_external});
            }
            index += auxiliary;
        }
    }

    void read_lines() {
        std::vector<CodeviewSection> debug;
        for (std::size_t section = 0; section < headers_.size(); ++section) {
            if (names_[section] == ".debug$S") {
                debug.push_back({contents(headers_[section]), places_in(headers_[section])});
            }
        }
        const CodeviewLines lines = codeview_lines(debug);
        std::vector<ObjectCode*> sections(headers_.size() + 1, nullptr);
        for (std::size_t section = 0; section < headers_.size(); ++section) {
            sections[section + 1] = is_code(headers_[section]) ? &code_[section] : nullptr;
        }
        give_lines(lines.ranges, lines.files, sections);
        forget_mixed_lines();
    }

    [[nodiscard]] std::vector<LineRelocation> places_in(std::uint64_t header) const {
        constexpr std::uint16_t section_relative = 11;  // IMAGE_REL_AMD64_SECREL
        std::vector<LineRelocation> places;
        for (const CoffRelocation& relocation : toolchain::coff_relocations(file_, symbols_, header)) {
            if (relocation.type == section_relative) {
                places.push_back({relocation.offset, section_of(relocation.symbol),
                                  file_.load<std::uint32_t>(symbols_.place(relocation.symbol) + 8)});
            }
        }
        std::stable_sort(places.begin(), places.end(), [](const LineRelocation& left, const LineRelocation& right) {
            return left.place < right.place;
        });
        return places;
    }

    // NASM (2.15 to 3.01) counts the places of all sections called `.text…` as if they were one, and says they are in `.text`: with
    // a second one, the places of both are wrong. A compiler tells the lines of each by itself.
    void forget_mixed_lines() {
        const auto is_text = [](const ObjectCode& code) {
            return code.section.starts_with(".text") && !code.bytes.empty();
        };
        if (std::any_of(code_.begin(), code_.end(),
                        [&](const ObjectCode& code) { return is_text(code) && code.lines.empty(); })) {
            for (ObjectCode& code : code_) {
                if (is_text(code)) {
                    code.lines.clear();
                }
            }
        }
    }

    ByteView file_;
    toolchain::CoffSymbols symbols_;
    std::vector<std::uint64_t> headers_;
    std::vector<std::string_view> names_;
    std::uint64_t relocations_size_ = 0;
    std::vector<ObjectCode> code_;  ///< by section; without bytes where it is no code
};

}  // namespace

std::vector<ObjectCode> code_of(std::span<const std::byte> object) {
    return Object(ByteView(object)).code();
}

}  // namespace nasm_build::inspect::coff
