// A wheel (or any zip archive) read as a stream: every module in it, one after the other, nothing unpacked to disk.
//
// A wheel comes from the network, so its sizes are claims until they have been counted: see WheelLimits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nasm_build::inspect {

/// What a wheel may ask of the machine that reads it. Sizes are bytes after decompression.
struct WheelLimits {
    std::uint64_t entries = 100'000;
    std::uint64_t module_size = std::uint64_t{1} << 30U;
    std::uint64_t total_size = std::uint64_t{4} << 30U;
    /// Bytes out a byte in, counted beyond the first `free_size` bytes of an entry, and beyond 16 times as many of all modules.
    /// Modules compress 2 to 10 times; DEFLATE cannot pass 1032.
    std::uint64_t compression_ratio = 100;
    std::uint64_t free_size = std::uint64_t{4} << 20U;
};

/// A file inside the wheel, as the zip's directory lists it.
struct WheelEntry {
    std::string name;  ///< with `/` between folders
    std::uint64_t size = 0;  ///< bytes after decompression, as claimed
    bool is_folder = false;
};

/// Every entry in the archive's order. Throws Error for a cut or foreign file, and for names that are absolute, have `..`, `\` or
/// a control character in them, or occur twice.
[[nodiscard]] std::vector<WheelEntry> wheel_entries(std::span<const std::byte> wheel, const WheelLimits& limits = {});

/// Whether a file name is that of a loadable library: `.so`, `.so.1.2`, `.pyd`, `.dll`, `.dylib` (any case on the last three).
[[nodiscard]] bool is_module_name(std::string_view name) noexcept;

/// One module of a wheel. The bytes live until the visitor returns.
struct WheelModule {
    std::string_view name;
    std::span<const std::byte> bytes;
};

/// Calls `visit` for each module, in the archive's order, after its CRC was checked. What `visit` throws passes through. An entry that
/// is damaged, encrypted or over a limit ends the reading with an Error that names it. Returns the number of modules.
std::size_t for_each_module(std::span<const std::byte> wheel, const std::function<void(const WheelModule&)>& visit,
                            const WheelLimits& limits = {});

/// One entry's bytes by its exact name (`x.dist-info/WHEEL`). Throws Error when it is not there or is over `limits.module_size`.
[[nodiscard]] std::vector<std::byte> wheel_file(std::span<const std::byte> wheel, std::string_view name,
                                                const WheelLimits& limits = {});

/// The texts of the one `.dist-info` folder at the root of a wheel, as far as they are there.
struct WheelMetadata {
    std::optional<std::string> statement;  ///< WHEEL
    std::optional<std::string> metadata;  ///< METADATA
    std::optional<std::string> record;  ///< RECORD
};

/// Reads them. Throws Error as `wheel_file` does; each may have 64 MiB at most.
[[nodiscard]] WheelMetadata wheel_metadata(std::span<const std::byte> wheel, const WheelLimits& limits = {});

}  // namespace nasm_build::inspect
