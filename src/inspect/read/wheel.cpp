// libzip over the wheel's bytes. Its own sizes are checked before it allocates by them, and every entry is counted as it is
// decompressed: what the archive says of itself is a claim.
#include "inspect/read/wheel.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_set>

#include "base/byte_view.hpp"
#include "base/error.hpp"
#include "inspect/read/guard.hpp"
#include "inspect/read/guard_zip.hpp"

namespace nasm_build::inspect {

namespace {

struct CloseArchive {
    void operator()(zip_t* archive) const noexcept { zip_discard(archive); }
};
struct CloseEntry {
    void operator()(zip_file_t* entry) const noexcept { zip_fclose(entry); }
};

class Archive {
public:
    Archive(std::span<const std::byte> bytes, const WheelLimits& limits) {
        const std::vector<ZipEntry> stated = guard_zip(bytes, limits.entries);
        zip_error_t problem;
        zip_error_init(&problem);
        zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem);
        if (source != nullptr) {
            archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &problem));
            if (archive_ == nullptr) {
                zip_source_free(source);
            }
        }
        const std::string text = zip_error_strerror(&problem);
        zip_error_fini(&problem);
        if (archive_ == nullptr) {
            fail_damaged(fmt::format("it is no whole ZIP archive ({})", text));
        }
        require_same(stated);
    }

    [[nodiscard]] zip_t* get() const noexcept { return archive_.get(); }
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

private:
    /// What libzip will read is what was checked: an archive can have a second directory in its comment.
    void require_same(const std::vector<ZipEntry>& stated) {
        count_ = static_cast<std::uint64_t>(std::max<zip_int64_t>(zip_get_num_entries(archive_.get(), 0), 0));
        if (count_ != stated.size()) {
            fail_damaged(fmt::format("the ZIP archive has {} entries and then {}", stated.size(), count_));
        }
        for (std::uint64_t index = 0; index < count_; ++index) {
            zip_stat_t facts;
            zip_stat_init(&facts);
            const ZipEntry& entry = stated[static_cast<std::size_t>(index)];
            const bool same = zip_stat_index(archive_.get(), index, ZIP_FL_ENC_RAW, &facts) == 0 &&
                              facts.size == entry.size && facts.comp_size == entry.packed_size &&
                              entry.name == facts.name;
            if (!same) {
                fail_damaged(fmt::format("entry {} of the ZIP archive reads differently a second time", index));
            }
        }
    }

    std::unique_ptr<zip_t, CloseArchive> archive_;
    std::uint64_t count_ = 0;
};

/// A name that cannot lead out of the folder that a wheel is unpacked into, on any system.
void check_name(std::string_view name) {
    const auto fail = [name](const char* why) {
        throw Error(fmt::format("the ZIP archive has an entry {}: {}", why, printable(name)));
    };
    if (name.empty()) {
        fail("without a name");
    }
    if (name.front() == '/' || (name.size() > 1 && name[1] == ':')) {
        fail("with an absolute name");
    }
    if (std::any_of(name.begin(), name.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; })) {
        fail("whose name has a backslash or a control character in it");
    }
    for (std::size_t start = 0; start < name.size();) {
        const std::size_t end = std::min(name.find('/', start), name.size());
        if (name.substr(start, end - start) == "..") {
            fail("whose name leads out of the archive");
        }
        start = end + 1;
    }
}

zip_stat_t facts_of(const Archive& archive, std::uint64_t index) {
    zip_stat_t facts;
    zip_stat_init(&facts);
    constexpr zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(archive.get(), index, 0, &facts) != 0 || (facts.valid & needed) != needed) {
        fail_damaged(fmt::format("entry {} of the ZIP archive has no name or size", index));
    }
    return facts;
}

std::vector<WheelEntry> list(const Archive& archive) {
    std::vector<WheelEntry> entries;
    std::unordered_set<std::string> names;
    for (std::uint64_t index = 0; index < archive.count(); ++index) {
        const zip_stat_t facts = facts_of(archive, index);
        const std::string name = facts.name;
        check_name(name);
        if (!names.insert(name).second) {
            fail_damaged(fmt::format("the ZIP archive has the entry {} twice", printable(name)));
        }
        entries.push_back({name, facts.size, name.back() == '/'});
    }
    return entries;
}

/// Decompresses one entry, counting; libzip compares the CRC when the last byte has been read.
std::vector<std::byte> extract(const Archive& archive, std::uint64_t index, const WheelLimits& limits) {
    const zip_stat_t facts = facts_of(archive, index);
    const std::string name = printable(facts.name);
    if (facts.encryption_method != ZIP_EM_NONE) {
        throw Error(fmt::format("{} is encrypted in the ZIP archive", name));
    }
    const auto require_size = [&](std::uint64_t size) {
        if (size > limits.module_size) {
            throw Error(fmt::format("{} has more than {} bytes", name, limits.module_size));
        }
        if (size > limits.free_size && (size - limits.free_size) / limits.compression_ratio > facts.comp_size) {
            throw Error(fmt::format("{} is compressed more than {} times", name, limits.compression_ratio));
        }
    };
    require_size(facts.size);
    const std::unique_ptr<zip_file_t, CloseEntry> entry(zip_fopen_index(archive.get(), index, 0));
    if (entry == nullptr) {
        fail_damaged(fmt::format("{} cannot be read from the ZIP archive ({})", name, zip_strerror(archive.get())));
    }
    std::vector<std::byte> bytes;
    bytes.reserve(static_cast<std::size_t>(facts.size) + 1);  // as much as the entry's own size may ask for
    constexpr std::uint64_t chunk = std::uint64_t{1} << 20U;
    for (;;) {
        // Grown by what has arrived, not by what the archive claims; the last read, of one byte, finds the end.
        const std::size_t done = bytes.size();
        const std::uint64_t missing = facts.size - std::min<std::uint64_t>(done, facts.size);
        bytes.resize(done + static_cast<std::size_t>(std::clamp<std::uint64_t>(missing, 1, chunk + done)));
        const zip_int64_t got = zip_fread(entry.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0) {
            fail_damaged(
                fmt::format("{} cannot be read from the ZIP archive ({})", name, zip_file_strerror(entry.get())));
        }
        bytes.resize(done + static_cast<std::size_t>(got));
        if (got == 0) {
            break;
        }
        require_size(bytes.size());
        if (bytes.size() > facts.size) {
            break;
        }
    }
    if (bytes.size() != facts.size) {
        fail_damaged(fmt::format("{} does not have the {} bytes that the ZIP archive states", name, facts.size));
    }
    return bytes;
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool ends_with_ignoring_case(std::string_view name, std::string_view suffix) noexcept {
    return name.size() > suffix.size() &&
           std::equal(suffix.begin(), suffix.end(), name.end() - static_cast<std::ptrdiff_t>(suffix.size()),
                      [](char left, char right) { return left == lower(right); });
}

}  // namespace

bool is_module_name(std::string_view name) noexcept {
    const std::size_t slash = name.rfind('/');
    std::string_view file = slash == std::string_view::npos ? name : name.substr(slash + 1);
    constexpr std::array<std::string_view, 3> folded = {".pyd", ".dll", ".dylib"};
    if (std::any_of(folded.begin(), folded.end(), [file](auto end) { return ends_with_ignoring_case(file, end); })) {
        return true;
    }
    // `.so` with version numbers behind it: libx.so.1.2
    const std::size_t versions = file.rfind(".so.");
    if (versions != std::string_view::npos &&
        file.find_first_not_of("0123456789.", versions + 3) == std::string_view::npos && file.back() != '.') {
        file = file.substr(0, versions + 3);
    }
    return file.size() > 3 && file.ends_with(".so");
}

std::vector<WheelEntry> wheel_entries(std::span<const std::byte> wheel, const WheelLimits& limits) {
    return list(Archive(wheel, limits));
}

std::size_t for_each_module(std::span<const std::byte> wheel, const std::function<void(const WheelModule&)>& visit,
                            const WheelLimits& limits) {
    const Archive archive(wheel, limits);
    const std::vector<WheelEntry> entries = list(archive);
    const std::uint64_t most_free = 16 * limits.free_size;
    std::uint64_t total = 0;
    std::size_t modules = 0;
    for (std::uint64_t index = 0; index < entries.size(); ++index) {
        const WheelEntry& entry = entries[static_cast<std::size_t>(index)];
        if (entry.is_folder || !is_module_name(entry.name)) {
            continue;
        }
        const std::vector<std::byte> bytes = extract(archive, index, limits);
        total += bytes.size();
        if (total > limits.total_size) {
            throw Error(
                fmt::format("the modules in the ZIP archive have more than {} bytes together", limits.total_size));
        }
        if (total > most_free && (total - most_free) / limits.compression_ratio > wheel.size()) {
            throw Error(fmt::format("the modules in the ZIP archive are compressed more than {} times together",
                                    limits.compression_ratio));
        }
        visit({entry.name, bytes});
        ++modules;
    }
    return modules;
}

WheelMetadata wheel_metadata(std::span<const std::byte> wheel, const WheelLimits& limits) {
    constexpr std::uint64_t longest = std::uint64_t{64} << 20U;
    WheelLimits of_texts = limits;
    of_texts.module_size = std::min(limits.module_size, longest);
    const Archive archive(wheel, limits);
    const std::vector<WheelEntry> entries = list(archive);
    WheelMetadata found;
    const auto read = [&](std::uint64_t index, std::optional<std::string>& text) {
        const std::vector<std::byte> bytes = extract(archive, index, of_texts);
        text.emplace(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    };
    for (std::uint64_t index = 0; index < entries.size(); ++index) {
        const std::string_view name = entries[static_cast<std::size_t>(index)].name;
        const std::size_t slash = name.find('/');
        if (slash == std::string_view::npos || !name.substr(0, slash).ends_with(".dist-info")) {
            continue;
        }
        const std::string_view file = name.substr(slash + 1);
        if (file == "WHEEL") {
            read(index, found.statement);
        } else if (file == "METADATA") {
            read(index, found.metadata);
        } else if (file == "RECORD") {
            read(index, found.record);
        }
    }
    return found;
}

std::vector<std::byte> wheel_file(std::span<const std::byte> wheel, std::string_view name, const WheelLimits& limits) {
    const Archive archive(wheel, limits);
    const std::vector<WheelEntry> entries = list(archive);
    const auto found =
        std::find_if(entries.begin(), entries.end(), [name](const WheelEntry& entry) { return entry.name == name; });
    if (found == entries.end()) {
        throw Error(fmt::format("the ZIP archive has no entry {}", printable(name)));
    }
    return extract(archive, static_cast<std::uint64_t>(found - entries.begin()), limits);
}

}  // namespace nasm_build::inspect
