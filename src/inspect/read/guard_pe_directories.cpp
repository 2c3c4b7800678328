// The guard of PE: the directories that no reader takes facts from, which a cut or damaged file shows in.
#include <fmt/format.h>

#include <algorithm>

#include "inspect/read/guard_pe.hpp"

namespace nasm_build::inspect::pe {

namespace {

void check_relocations(ByteView file, const Layout& layout) {
    const Range& range = layout.directories[relocation_directory];
    const std::uint64_t at = offset_of(file, layout, range.address, range.size, "the table of base relocations");
    for (std::uint64_t into = 0; into < range.size;) {
        if (range.size - into < 8) {
            fail_damaged("its table of base relocations ends within a block");
        }
        const std::uint64_t page = file.load<std::uint32_t>(at + into);
        const std::uint64_t size = file.load<std::uint32_t>(at + into + 4);
        if (page == 0 && size == 0) {
            return;  // padding
        }
        if (size < 8 || size > range.size - into || size % 2 != 0 || page >= layout.image_size) {
            fail_damaged(fmt::format("a block of base relocations has {} bytes for page 0x{:x}", size, page));
        }
        into += size;
    }
}

void check_debug(ByteView file, const Layout& layout) {
    constexpr std::uint64_t entry_size = 28;
    const Range& range = layout.directories[debug_directory];
    const std::uint64_t at = offset_of(file, layout, range.address, range.size, "the debug directory");
    for (std::uint64_t i = 0; i < range.size / entry_size; ++i) {
        const auto size = file.load<std::uint32_t>(at + i * entry_size + 16);
        const auto offset = file.load<std::uint32_t>(at + i * entry_size + 24);
        if (offset != 0) {
            require_range(file, offset, size, "debug data");
        }
    }
}

void check_certificates(ByteView file, const Layout& layout) {
    const Range& range = layout.directories[certificate_directory];
    require_range(file, range.address, range.size, "the table of certificates");
    for (std::uint64_t into = 0; into + 8 <= range.size;) {
        const std::uint64_t size = file.load<std::uint32_t>(range.address + into);
        if (size < 8 || size > range.size - into) {
            fail_damaged("a certificate has a size that cannot be");
        }
        into += (size + 7) / 8 * 8;
    }
}

void check_tls(ByteView file, const Layout& layout) {
    const Range& range = layout.directories[tls_directory];
    const std::uint64_t size = layout.is_64 ? 40 : 24;
    if (range.size < size) {
        fail_damaged(fmt::format("its TLS directory has {} bytes", range.size));
    }
    static_cast<void>(offset_of(file, layout, range.address, size, "the TLS directory"));
}

/// Resources are a tree of three levels: type, name, language.
class ResourceWalk {
public:
    ResourceWalk(ByteView file, const Layout& layout)
        : file_(file),
          layout_(layout),
          range_(layout.directories[resource_directory]),
          at_(offset_of(file, layout, range_.address, range_.size, what)) {}

    void walk(std::uint64_t into, unsigned level) {
        require(into, 16);
        const std::uint64_t entries =
            std::uint64_t{file_.load<std::uint16_t>(at_ + into + 12)} + file_.load<std::uint16_t>(at_ + into + 14);
        require(into + 16, entries * 8);
        seen_ += entries + 1;
        require_count(seen_, 100'000, "resources");
        for (std::uint64_t i = 0; i < entries; ++i) {
            const auto target = file_.load<std::uint32_t>(at_ + into + 16 + i * 8 + 4);
            constexpr std::uint32_t is_directory = 0x80000000;
            if ((target & is_directory) == 0) {
                require(target, 16);
                static_cast<void>(offset_of(file_, layout_, file_.load<std::uint32_t>(at_ + target),
                                            file_.load<std::uint32_t>(at_ + target + 4), "a resource"));
            } else if (level == 3) {
                fail_damaged("its tree of resources is too deep");
            } else {
                walk(target & ~is_directory, level + 1);
            }
        }
    }

private:
    static constexpr const char* what = "the tree of resources";

    void require(std::uint64_t into, std::uint64_t length) const {
        if (into > range_.size || length > range_.size - into) {
            fail_damaged("its tree of resources reaches past its end");
        }
    }

    ByteView file_;
    const Layout& layout_;
    const Range& range_;
    std::uint64_t at_;
    std::uint64_t seen_ = 0;
};

void check_exceptions(ByteView file, const Layout& layout) {
    const Range& range = layout.directories[exception_directory];
    static_cast<void>(offset_of(file, layout, range.address, range.size, "the exception directory"));
}

void check_symbols(ByteView file, const Layout& layout) {
    // COFF symbols in an image: deprecated, written by GNU ld. LIEF is not given them.
    const auto offset = file.load<std::uint32_t>(layout.file_header + 8);
    const auto count = file.load<std::uint32_t>(layout.file_header + 12);
    if (offset != 0 && count != 0) {
        require_range(file, offset, std::uint64_t{count} * 18, "the table of COFF symbols");
    }
}

}  // namespace

void check_directories(ByteView file, const Layout& layout) {
    const auto present = [&layout](Directory directory) {
        return layout.directories.at(directory).address != 0 && layout.directories.at(directory).size != 0;
    };
    if (present(relocation_directory)) {
        check_relocations(file, layout);
    }
    if (present(debug_directory)) {
        check_debug(file, layout);
    }
    if (present(certificate_directory)) {
        check_certificates(file, layout);
    }
    if (layout.directories[tls_directory].address != 0) {
        check_tls(file, layout);
    }
    if (present(resource_directory)) {
        ResourceWalk(file, layout).walk(0, 1);
    }
    if (present(exception_directory)) {
        check_exceptions(file, layout);
    }
    check_symbols(file, layout);
}

}  // namespace nasm_build::inspect::pe
