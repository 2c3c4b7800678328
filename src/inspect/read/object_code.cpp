#include "inspect/read/object_code.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "inspect/read/guard.hpp"

namespace nasm_build::inspect {

ObjectCode bare_code(std::string section, std::span<const std::byte> bytes) {
    ObjectCode code;
    code.section = std::move(section);
    code.bytes = bytes;
    code.is_patched.resize(bytes.size());
    return code;
}

void require_disjoint_code(std::uint64_t code_size, std::uint64_t object_size) {
    if (code_size > object_size) {
        fail_damaged("its sections of code overlap");
    }
}

void mark_patched(ObjectCode& code, std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t at = first; at < std::min<std::uint64_t>(end, code.is_patched.size()); ++at) {
        code.is_patched[static_cast<std::size_t>(at)] = true;
    }
}

void give_lines(std::span<const LineTable::Range> ranges, std::span<const std::string> files,
                std::span<ObjectCode* const> sections) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>
        known;  // section and file: the file's number there
    for (const LineTable::Range& range : ranges) {
        if (range.section >= sections.size() || sections[range.section] == nullptr) {
            continue;
        }
        ObjectCode& code = *sections[range.section];
        const auto [entry, is_new] =
            known.try_emplace({range.section, range.file}, static_cast<std::uint32_t>(code.files.size()));
        if (is_new) {
            code.files.push_back(files[range.file]);
        }
        code.lines.push_back({range.begin, range.end, entry->second, range.line});
    }
}

}  // namespace nasm_build::inspect
