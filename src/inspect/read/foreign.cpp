// A list of first bytes, most of them from the formats' own specifications.
#include "inspect/read/foreign.hpp"

#include <algorithm>
#include <array>

namespace nasm_build::inspect {

namespace {

using namespace std::string_view_literals;

struct Magic {
    std::string_view bytes;
    const char* name;
};

constexpr std::array magics = {
    Magic{"PK\x03\x04"sv, "a ZIP archive"},
    Magic{"PK\x05\x06"sv, "an empty ZIP archive"},
    Magic{"!<arch>\n"sv, "an ar archive (a static library)"},
    Magic{"!<thin>\n"sv, "a thin ar archive (a static library)"},
    Magic{"BC\xC0\xDE"sv, "LLVM bitcode (from -flto or -emit-llvm)"},
    Magic{"\xDE\xC0\x17\x0B"sv, "LLVM bitcode (from -flto or -emit-llvm)"},
    Magic{"\x1F\x8B"sv, "gzip-compressed data"},
    Magic{"BZh"sv, "bzip2-compressed data"},
    Magic{"\xFD"
          "7zXZ\0"sv,
          "xz-compressed data"},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd-compressed data"},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    Magic{"\0asm"sv, "a WebAssembly module"},
    Magic{"\xCA\xFE\xBA\xBE"sv, "a Java class file"},
    Magic{"%PDF"sv, "a PDF document"},
    Magic{"\x89PNG"sv, "a PNG picture"},
    Magic{"SQLite format 3\0"sv, "an SQLite database"},
    Magic{"\x93NUMPY"sv, "a NumPy array"},
    Magic{"#!"sv, "a script"},
    Magic{"version https://git-lfs"sv, "a Git LFS pointer: the real file was not fetched"},
};

/// A COFF object has no magic: it starts with the machine's number, and its symbols lie within the file.
bool is_coff_object(ByteView file) {
    if (file.size() < 20) {
        return false;
    }
    const auto machine = file.load<std::uint16_t>(0);
    const std::uint64_t sections = file.load<std::uint16_t>(2);
    const auto symbols = file.load<std::uint32_t>(8);
    return (machine == 0x8664 || machine == 0x014C || machine == 0xAA64) && file.load<std::uint16_t>(16) == 0 &&
           file.holds(20, sections * 40) && symbols < file.size();
}

bool is_text(ByteView file) {
    const auto start = file.bytes().first(std::min<std::size_t>(file.bytes().size(), 4096));
    return std::all_of(start.begin(), start.end(), [](std::byte byte) {
        const auto c = std::to_integer<unsigned>(byte);
        return c >= 0x20 ? c != 0x7F : c == '\t' || c == '\n' || c == '\r' || c == '\f';
    });
}

}  // namespace

std::string describe_foreign(ByteView file) {
    const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    for (const Magic& magic : magics) {
        if (bytes.starts_with(magic.bytes)) {
            return magic.name;
        }
    }
    if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar") {
        return "a tar archive";
    }
    if (is_coff_object(file)) {
        return "a COFF object";
    }
    return is_text(file) ? "text" : "";
}

}  // namespace nasm_build::inspect
