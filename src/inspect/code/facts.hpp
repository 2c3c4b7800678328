// What the code of a module asks of the processor, function by function: plain facts for the rules and for reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "inspect/code/features.hpp"

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
    /// It looks at what the C runtime noted of the processor (Microsoft's `__isa_available` and what is set by it).
    bool follows_runtime = false;
};

struct Code {
    std::vector<Function> functions;  ///< by address
    std::uint64_t not_decoded = 0;  ///< functions that are left out
    std::uint64_t size = 0;  ///< bytes of code
    /// How the module asks the processor what it has: `cpuid`, `getauxval`, `indirect functions`, …; empty when nothing does.
    std::vector<std::string> asks;

    [[nodiscard]] FeatureSet features() const;
};

/// A function's name, or where it lies: `the function at 0x1040`.
[[nodiscard]] std::string display_name(const Function& function);

}  // namespace nasm_build::inspect::code
