// Putting an image into memory: reserve, copy, fix up, protect.
//
// Segments keep their distances, which the code counts on; only the slide, one number for all of them, is new. The
// content is copied and not mapped from the file: a slice of a fat file need not begin at one of Linux's pages.
#include "mapping.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "format.hpp"

namespace macho_loader {

namespace {

constexpr std::uint64_t PAGE = 4096;

// Mach's protections are POSIX's: 1 to read, 2 to write, 4 to execute.
static_assert(PROT_READ == 1 && PROT_WRITE == static_cast<int>(format::VM_PROT_WRITE) &&
              PROT_EXEC == static_cast<int>(format::VM_PROT_EXECUTE));
constexpr std::uint32_t PROTECTION_MASK = 7;

void set_protection(void* start, std::uint64_t size, int protection, const std::string& name) {
    if (mprotect(start, size, protection) != 0) {
        throw Error("the segment " + name + " cannot be protected: " + std::strerror(errno));
    }
}

}  // namespace

Mapping::Mapping(const Image& image) : size_((image.highest - image.lowest + PAGE - 1) / PAGE * PAGE) {
    start_ = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start_ == MAP_FAILED) {
        start_ = nullptr;
        throw Error("there are no " + std::to_string(size_) + " bytes of memory for it: " + std::strerror(errno));
    }
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): an address is a number here
    slide_ = reinterpret_cast<std::uint64_t>(start_) - image.lowest;
    for (const Segment& segment : image.segments) {
        if (segment.size != 0) {
            set_protection(at(segment.address), segment.size, PROT_READ | PROT_WRITE, segment.name);
            std::copy(segment.content.data().begin(), segment.content.data().end(), at(segment.address));
        }
    }
}

Mapping::~Mapping() {
    if (start_ != nullptr) {
        munmap(start_, size_);
    }
}

Mapping::Mapping(Mapping&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), size_(other.size_), slide_(other.slide_) {}

std::byte* Mapping::at(std::uint64_t address) const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is a number here
    return reinterpret_cast<std::byte*>(address + slide_);
}

void Mapping::fix(const Fixups& fixups, std::span<const std::optional<std::uint64_t>> symbols) {
    for (const Fixup& fixup : fixups.fixups) {
        std::uint64_t value = fixup.value + slide_;
        if (fixup.reference != REBASE) {
            const auto& symbol = symbols[fixup.reference];
            if (!symbol) {
                continue;
            }
            value = *symbol == 0 ? 0 : *symbol + fixup.value;
        }
        std::memcpy(at(fixup.address), &value, sizeof value);
    }
}

void Mapping::protect(const Image& image) {
    for (const Segment& segment : image.segments) {
        std::uint32_t protection = segment.protection & PROTECTION_MASK;
        if (segment.read_only_once_fixed) {
            protection &= ~format::VM_PROT_WRITE;
        }
        if (segment.size != 0) {
            set_protection(at(segment.address), segment.size, static_cast<int>(protection), segment.name);
        }
    }
}

}  // namespace macho_loader
