// libFuzzer knows bytes and what the program compared them with; the layout of the input says where offsets, sizes and counts are.
#include "target.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>

#include "seeds.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Ends the process when an input ends in anything but a report.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nasm_build::fuzz;
    static const std::vector<std::string> names = names_for(target_format, "module.so");
    // The input decides by which name it is checked, so that it can be checked again.
    const std::string& name = names[size % names.size()];
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    const Outcome outcome = check_input(target_format, {name, {bytes, bytes + size}, size % 16 == 0});
    if (!outcome.broken.empty()) {
        std::fprintf(stderr, "as %s: %s\n", name.c_str(), outcome.broken.c_str());
        std::abort();
    }
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
    using namespace nasm_build::fuzz;
    Random random(seed, 0, 0);
    if (size == 0 || random.below(2) == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const std::string format = std::string(target_format) == "code" && random.below(4) == 0 ? "stream" : target_format;
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data), size);
    const std::vector<std::byte> damaged = damage_for(format, bytes, layout_for(format, bytes), random);
    const std::size_t length = std::min(damaged.size(), max_size);
    std::memcpy(data, damaged.data(), length);
    return length;
}
