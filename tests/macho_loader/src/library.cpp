// Loading a file into the process, once: the steps in their order, initialisers, and the table of what is loaded.
#include "library.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <compare>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "exports.hpp"
#include "fixups.hpp"
#include "format.hpp"
#include "frame_records.hpp"
#include "slice.hpp"
#include "symbols.hpp"

namespace macho_loader {

namespace {

/// What makes a file the same one: as dlopen has it the inode, and the time of its last change besides.
struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::int64_t size = 0;

    auto operator<=>(const Identity&) const = default;
};

Identity identity(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) {
        throw Error(std::string("cannot be read: ") + std::strerror(errno));
    }
    return {status.st_dev, status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size};
}

bool is_code(const Image& image, std::uint64_t address) {
    const Segment* segment = image.segment_of(address, 1);
    return segment != nullptr && (segment->protection & format::VM_PROT_EXECUTE) != 0;
}

/// The initialisers' addresses in this process, in the order of the sections.
std::vector<std::uint64_t> initialisers(const Image& image, const Fixups& fixups, std::uint64_t slide) {
    std::map<std::uint64_t, const Fixup*> pointers;
    for (const Fixup& fixup : fixups.fixups) {
        pointers[fixup.address] = &fixup;
    }
    std::vector<std::uint64_t> found;
    const auto add = [&](std::uint64_t address) {
        if (!is_code(image, address)) {
            throw Error("an initialiser does not lie in code");
        }
        found.push_back(address + slide);
    };
    for (const Section& section : image.sections) {
        if (section.type == format::S_MOD_INIT_FUNC_POINTERS) {
            for (std::uint64_t at = 0; at + 8 <= section.size; at += 8) {
                const auto pointer = pointers.find(section.address + at);
                if (pointer == pointers.end() || pointer->second->reference != REBASE) {
                    throw Error("an initialiser is not a function of its own");
                }
                add(pointer->second->value);
            }
        } else if (section.type == format::S_INIT_FUNC_OFFSETS) {
            for (std::uint64_t at = 0; at + 4 <= section.size; at += 4) {
                add(image.header + static_cast<std::uint32_t>(image.stored(section.address + at)));
            }
        }
    }
    return found;
}

/// dyld calls each like `main`, with the environment and its own list behind it.
void run_initialisers(const std::vector<std::uint64_t>& addresses) {
    using Initialiser = void (*)(int, const char* const*, const char* const*, const char* const*);
    static const char* const nothing[] = {nullptr};  // NOLINT(modernize-avoid-c-arrays): argv
    for (const std::uint64_t address : addresses) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr,cppcoreguidelines-pro-type-reinterpret-cast): a function's address
        reinterpret_cast<Initialiser>(address)(0, nothing, nothing, nothing);
    }
}

/// A library, and what is left to run before it can be used.
struct Opened {
    Library library;
    std::vector<std::uint64_t> initialisers;
};

Opened open(const std::string& path) {
    std::vector<std::byte> file = read_file(path);
    Image image = read_image(x86_64_slice(Bytes(file, "the file")));
    const Fixups fixups = read_fixups(image);
    check_frames(image);
    Mapping mapping(image);
    mapping.fix(fixups, resolve(image, mapping.slide(), fixups));
    mapping.protect(image);
    auto first = initialisers(image, fixups, mapping.slide());
    auto records = frame_records(image, mapping.slide());
    return {.library = {.file = std::move(file),
                        .image = std::move(image),
                        .mapping = std::move(mapping),
                        .frame_records = std::move(records)},
            .initialisers = std::move(first)};
}

}  // namespace

std::optional<std::uint64_t> Library::function(std::string_view name) const {
    const auto address = exported(image, name);
    if (address && !is_code(image, *address)) {
        throw Error("the exported symbol " + std::string(name) + " is no function");
    }
    return address ? std::optional(*address + mapping.slide()) : std::nullopt;
}

Library open_library(const std::string& path) {
    return open(path).library;
}

const Library& load_library(const std::string& path) {
    // Never destroyed: modules are used until the last moment of the process. An initialiser may load another file.
    static auto& mutex = *new std::recursive_mutex;
    static auto& libraries = *new std::map<Identity, std::unique_ptr<Library>>;

    const Identity key = identity(path);
    const std::scoped_lock lock(mutex);
    if (const auto found = libraries.find(key); found != libraries.end()) {
        return *found->second;
    }
    Opened opened = open(path);
    Library& library = *libraries.emplace(key, std::make_unique<Library>(std::move(opened.library))).first->second;
    register_frames(library.image, library.mapping.slide(), library.frame_records);
    run_initialisers(opened.initialisers);
    return library;
}

}  // namespace macho_loader
