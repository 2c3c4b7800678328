// CodeView as Microsoft's published cvinfo.h has it (CV_DebugSSubsectionHeader_t, CV_DebugSLinesHeader_t and what follows it), and
// LLVM's "CodeView Symbol Records" and "PDB" pages explain it.
//
// A section is a signature and subsections. The lines of a piece of code are one subsection: a header whose relocations name the
// code, then a block a source file, which refers to the table of files, which refers to the table of strings.
#include "inspect/read/codeview_lines.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace nasm_build::inspect {

namespace {

constexpr std::uint32_t signature_c13 = 4;
constexpr std::uint32_t kind_lines = 0xF2, kind_strings = 0xF3, kind_files = 0xF4;
constexpr std::uint16_t have_columns = 1;  // CV_LINES_HAVE_COLUMNS
constexpr std::size_t name_limit = 4096;  // beyond every path of Windows that an assembler was given
constexpr std::size_t names_limit = std::size_t{16} << 20U;  // of all files together: they may share their bytes

struct Subsection {
    const CodeviewSection* section = nullptr;
    std::uint64_t start = 0;  ///< of its body
    ByteView body;
};

/// A place in code from which on a line holds.
struct Entry {
    std::uint32_t offset = 0;  ///< in the piece of code
    std::uint32_t line = 0;
    std::uint32_t file = 0;  ///< in the table of files
};

class Reader {
public:
    explicit Reader(std::span<const CodeviewSection> sections) {
        for (const CodeviewSection& section : sections) {
            find_subsections(section);
        }
    }

    CodeviewLines read() {
        for (const Subsection& lines : lines_) {
            read_lines(lines);
        }
        std::stable_sort(found_.ranges.begin(), found_.ranges.end(),
                         [](const LineTable::Range& left, const LineTable::Range& right) {
                             return left.section != right.section ? left.section < right.section
                                                                  : left.begin < right.begin;
                         });
        return std::move(found_);
    }

private:
    void find_subsections(const CodeviewSection& section) {
        Cursor cursor(section.bytes);
        if (cursor.read<std::uint32_t>() != signature_c13) {
            return;
        }
        while (!cursor.at_end()) {
            const auto kind = cursor.read<std::uint32_t>();
            const auto size = cursor.read<std::uint32_t>();
            if (cursor.failed() || size > cursor.left()) {
                return;
            }
            const ByteView body = section.bytes.part(cursor.position(), size);
            if (kind == kind_lines) {
                lines_.push_back({&section, cursor.position(), body});
            } else if (kind == kind_strings && strings_.size() == 0) {
                strings_ = body;
            } else if (kind == kind_files && files_.size() == 0) {
                files_ = body;
            }
            cursor.skip(size);
            cursor.skip(std::min<std::uint64_t>((4 - cursor.position() % 4) % 4, cursor.left()));
        }
    }

    void read_lines(const Subsection& lines) {
        constexpr std::uint64_t header_size = 12;
        const LineRelocation* const code = relocation_at(*lines.section, lines.start);
        if (code == nullptr || lines.body.size() < header_size) {
            return;
        }
        Cursor cursor(lines.body, 6);
        const auto flags = cursor.read<std::uint16_t>();
        const auto size = cursor.read<std::uint32_t>();
        std::vector<Entry> entries;
        while (!cursor.at_end()) {
            if (!read_block(cursor, (flags & have_columns) != 0, entries)) {
                return;
            }
        }
        std::stable_sort(entries.begin(), entries.end(),
                         [](const Entry& left, const Entry& right) { return left.offset < right.offset; });
        // NASM (2.15 to 3.01) counts the places of all sections called `.text…` as if they were one: they reach past its end.
        if (!entries.empty() && entries.back().offset <= size) {
            add_ranges(*code, entries, size);
        }
    }

    static bool read_block(Cursor& cursor, bool with_columns, std::vector<Entry>& entries) {
        constexpr std::uint64_t header_size = 12, line_size = 8, column_size = 4;
        const auto file = cursor.read<std::uint32_t>();
        const std::uint64_t count = cursor.read<std::uint32_t>();
        const std::uint64_t size = cursor.read<std::uint32_t>();
        const std::uint64_t needed = header_size + count * (line_size + (with_columns ? column_size : 0));
        if (cursor.failed() || size < needed || size - header_size > cursor.left()) {
            return false;
        }
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto offset = cursor.read<std::uint32_t>();
            const auto line =
                cursor.read<std::uint32_t>() & 0xFFFFFFU;  // above it: where a statement ends, and its kind
            entries.push_back({offset, line, file});
        }
        cursor.skip(size - header_size - count * line_size);
        return true;
    }

    // A line holds to the next one's place. Of several at one place the last holds, as the others made no byte; where they are of
    // several files, whose blocks have lost their order, none does.
    void add_ranges(const LineRelocation& code, std::span<const Entry> entries, std::uint32_t size) {
        constexpr std::uint32_t hidden = 0xFEEFEE, hidden_too = 0xF00F00;  // code that a compiler made of no line
        for (std::size_t first = 0, next = 0; first < entries.size(); first = next) {
            bool is_of_one_file = true;
            for (next = first + 1; next < entries.size() && entries[next].offset == entries[first].offset; ++next) {
                is_of_one_file = is_of_one_file && entries[next].file == entries[first].file;
            }
            const Entry& entry = entries[next - 1];
            const std::uint32_t end = next < entries.size() ? entries[next].offset : size;
            if (!is_of_one_file || entry.offset >= end || entry.line == 0 || entry.line == hidden ||
                entry.line == hidden_too) {
                continue;
            }
            if (const auto file = file_number(entry.file)) {
                found_.ranges.push_back({code.section, code.value + entry.offset, code.value + end, *file, entry.line});
            }
        }
    }

    static const LineRelocation* relocation_at(const CodeviewSection& section, std::uint64_t place) {
        const auto found = std::lower_bound(
            section.relocations.begin(), section.relocations.end(), place,
            [](const LineRelocation& relocation, std::uint64_t wanted) { return relocation.place < wanted; });
        return found != section.relocations.end() && found->place == place ? &*found : nullptr;
    }

    std::optional<std::uint32_t> file_number(std::uint32_t file) {
        if (!files_.holds(file, 4)) {
            return std::nullopt;
        }
        const auto text = files_.load<std::uint32_t>(file);
        const auto [entry, is_new] = known_.try_emplace(text, std::nullopt);
        if (is_new) {
            const auto name = strings_.text(text);
            if (name && !name->empty() && name->size() <= name_limit && name->size() <= names_limit - names_size_) {
                names_size_ += name->size();
                entry->second = static_cast<std::uint32_t>(found_.files.size());
                found_.files.emplace_back(*name);
            }
        }
        return entry->second;
    }

    std::vector<Subsection> lines_;
    ByteView strings_;
    ByteView files_;
    std::map<std::uint32_t, std::optional<std::uint32_t>> known_;  ///< place of a name to the file's number
    std::size_t names_size_ = 0;
    CodeviewLines found_;
};

}  // namespace

CodeviewLines codeview_lines(std::span<const CodeviewSection> sections) {
    return Reader(sections).read();
}

}  // namespace nasm_build::inspect
