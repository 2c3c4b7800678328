// DWARF, section 6.2.4 of versions 2 to 5.
#include "inspect/read/line_names.hpp"

namespace nasm_build::inspect {

namespace {

constexpr std::size_t file_limit = 100'000;
constexpr std::size_t name_limit = 4096;  // PATH_MAX of Linux; a longer name is no file

enum ContentType : std::uint64_t { content_path = 1, content_directory = 2 };

}  // namespace

void LineNames::read(Cursor& cursor, std::uint16_t version, std::uint64_t offset_size) {
    offset_size_ = offset_size;
    if (version < 5) {
        read_old_lists(cursor);
        return;
    }
    directories_.clear();
    for (const FileName& entry : read_entries(cursor)) {
        directories_.push_back(entry.path);
    }
    files_ = read_entries(cursor);
}

bool LineNames::has(std::uint64_t file) const noexcept {
    return file < files_.size() && !files_[static_cast<std::size_t>(file)].path.empty();
}

std::string LineNames::path(std::uint64_t file, std::uint64_t folders_before) const {
    const FileName& name = files_[static_cast<std::size_t>(file)];
    std::string path(name.path.substr(0, name_limit));
    const bool is_absolute = path.front() == '/' || path.front() == '\\' || (path.size() > 1 && path[1] == ':');
    const std::uint64_t number = name.directory + folders_before;
    if (is_absolute || number == 0 || number >= directories_.size()) {
        return path;
    }
    const std::string folder(directories_[static_cast<std::size_t>(number)].substr(0, name_limit));
    if (folder.empty() || folder == ".") {
        return path;
    }
    return folder.back() == '/' ? folder + path : folder + "/" + path;
}

std::uint64_t LineNames::read_offset(Cursor& cursor) const {
    return offset_size_ == 8 ? cursor.read<std::uint64_t>() : cursor.read<std::uint32_t>();
}

void LineNames::read_old_lists(Cursor& cursor) {
    directories_ = {std::string_view{}};  // 0: the folder that the assembler ran in
    while (!cursor.failed() && directories_.size() < file_limit) {
        const std::string_view name = cursor.read_text();
        if (name.empty()) {
            break;
        }
        directories_.push_back(name);
    }
    files_ = {FileName{}};  // files count from 1
    while (!cursor.failed() && files_.size() < file_limit) {
        if (!read_file(cursor)) {
            break;
        }
    }
}

bool LineNames::read_file(Cursor& cursor) {
    FileName file{cursor.read_text(), 0};
    if (file.path.empty()) {
        return false;
    }
    file.directory = cursor.read_uleb();
    static_cast<void>(cursor.read_uleb());  // time of change
    static_cast<void>(cursor.read_uleb());  // size
    files_.push_back(file);
    return true;
}

// Version 5: a list of (what, form), then the entries.
std::vector<LineNames::FileName> LineNames::read_entries(Cursor& cursor) const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> format;
    const auto columns = cursor.read<std::uint8_t>();
    for (unsigned i = 0; i < columns; ++i) {
        const std::uint64_t what = cursor.read_uleb();
        format.emplace_back(what, cursor.read_uleb());
    }
    const std::uint64_t count = cursor.read_uleb();
    std::vector<FileName> entries;
    if (format.empty() && count != 0) {
        cursor.fail();
    }
    for (std::uint64_t i = 0; i < count && !cursor.failed() && entries.size() < file_limit; ++i) {
        FileName entry;
        for (const auto& [what, form] : format) {
            read_field(cursor, what, form, entry);
        }
        entries.push_back(entry);
    }
    return entries;
}

void LineNames::read_field(Cursor& cursor, std::uint64_t what, std::uint64_t form, FileName& entry) const {
    std::string_view text;
    std::uint64_t number = 0;
    switch (form) {
        case 0x08:
            text = cursor.read_text();
            break;  // DW_FORM_string
        case 0x0E:
            text = text_at(cursor, sections_.string);
            break;  // DW_FORM_strp
        case 0x1F:
            text = text_at(cursor, sections_.line_string);
            break;  // DW_FORM_line_strp
        case 0x0B:
            number = cursor.read<std::uint8_t>();
            break;  // DW_FORM_data1
        case 0x05:
            number = cursor.read<std::uint16_t>();
            break;  // DW_FORM_data2
        case 0x06:
            number = cursor.read<std::uint32_t>();
            break;  // DW_FORM_data4
        case 0x07:
            number = cursor.read<std::uint64_t>();
            break;  // DW_FORM_data8
        case 0x0F:
            number = cursor.read_uleb();
            break;  // DW_FORM_udata
        case 0x1E:
            cursor.skip(16);
            break;  // DW_FORM_data16: an MD5
        case 0x09:
            cursor.skip(cursor.read_uleb());
            break;  // DW_FORM_block
        default:
            cursor.fail();
            break;
    }
    if (what == content_path) {
        entry.path = text;
    } else if (what == content_directory) {
        entry.directory = number;
    }
}

std::string_view LineNames::text_at(Cursor& cursor, ByteView strings) const {
    const LineRelocation* relocation = sections_.relocation_at(cursor.position());
    const std::uint64_t offset = read_offset(cursor);
    const auto text = strings.text(relocation != nullptr ? relocation->value : offset);
    if (!text) {
        cursor.fail();
        return {};
    }
    return *text;
}

}  // namespace nasm_build::inspect
