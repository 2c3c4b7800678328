// What the code of a module asks of the processor, function by function: plain facts, made on demand.
//
// Only instructions that control reaches from the start of a function count, so that tables among the code are not taken for
// instructions. A function is left out, and counted as such, when what it reaches cannot be decoded.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inspect/code/features.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect::code {

/// The first instruction of a function that has a feature.
struct Witness {
    Feature feature = Feature::baseline;
    std::uint64_t address = 0;
    std::string mnemonic;
};

struct Function {
    std::string name;  ///< empty when nothing names it
    std::uint64_t address = 0;
    std::uint64_t instructions = 0;
    FeatureSet features;
    std::vector<Witness> witnesses;  ///< one a feature, in the order of the features
    bool is_part = false;  ///< of another function, which jumps to it
    bool calls = false;
    bool keeps_frame = false;  ///< sets rbp to the address of a frame
    bool asks = false;  ///< has a cpuid or an xgetbv
};

struct Code {
    std::vector<Function> functions;  ///< by address
    std::uint64_t not_decoded = 0;  ///< functions that are left out
    std::uint64_t size = 0;  ///< bytes of code
    /// How the module asks the processor what it has: `cpuid`, `getauxval`, `indirect functions`, …; empty when nothing does.
    std::vector<std::string> asks;

    [[nodiscard]] FeatureSet features() const;
};

/// Whether the code of the image is such that it can be scanned: x86-64, in a file that is loaded.
[[nodiscard]] bool is_scanned(const Image& image) noexcept;

/// Bytes of code, without looking at them: what a scan costs goes by it.
[[nodiscard]] std::uint64_t code_size(const Image& image) noexcept;

/// Scans one image; `file` is the whole file, of which a fat one has the image as a slice. Throws Error with one line.
[[nodiscard]] Code read_code(std::span<const std::byte> file, const Image& image);

/// A function's name, or where it lies: `the function at 0x1040`.
[[nodiscard]] std::string display_name(const Function& function);

}  // namespace nasm_build::inspect::code
