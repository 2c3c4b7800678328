#include "inspect/code/code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/byte_view.hpp"
#include "inspect/code/code_map.hpp"
#include "inspect/code/decoder.hpp"
#include "inspect/code/walk.hpp"
#include "inspect/read/guard.hpp"
#include "inspect/read/guard_macho.hpp"
#include "inspect/read/read.hpp"

namespace nasm_build::inspect::code {

namespace {

// What other libraries answer: the C library's copy of the kernel's word, Windows' and macOS' own calls, libgcc's and
// compiler-rt's table. IsProcessorFeaturePresent is not here: every module of Microsoft's compiler has it, for __fastfail.
constexpr auto asking_functions = std::to_array<std::string_view>({
    "__cpu_features2",
    "__cpu_indicator_init",
    "__cpu_model",
    "__x86_get_cpuid_feature_leaf",
    "cpuinfo_initialize",
    "elf_aux_info",
    "getauxval",
    "sysctlbyname",
    "GetEnabledXStateFeatures",
});

// The witness of each feature is the instruction with the lowest address: they come in order.
void add_feature(Function& function, Feature feature, const Instruction& instruction, const CodeSection& section,
                 const Decoder& decoder) {
    if (feature == Feature::baseline || function.features.has(feature)) {
        return;
    }
    function.features.add(feature);
    const auto into = static_cast<std::size_t>(instruction.address - section.address);
    function.witnesses.push_back({feature, instruction.address, decoder.mnemonic(section.bytes.bytes().subspan(into))});
}

Function facts_of(const Walked& walked, const CodeMap& map, const Decoder& decoder) {
    Function function;
    function.name = walked.start.name;
    function.address = walked.start.address;
    function.is_part = walked.start.is_part;
    function.instructions = walked.instructions.size();
    const CodeSection& section = *map.section_at(function.address);
    for (const Instruction& instruction : walked.instructions) {
        add_feature(function, instruction.feature, instruction, section, decoder);
        add_feature(function, instruction.encoding, instruction, section, decoder);
        function.calls = function.calls || instruction.flow == Flow::call;
        function.keeps_frame = function.keeps_frame || instruction.does == Does::sets_frame;
        function.asks = function.asks || instruction.does == Does::asks_the_processor;
    }
    std::stable_sort(function.witnesses.begin(), function.witnesses.end(),
                     [](const Witness& one, const Witness& other) { return one.feature < other.feature; });
    return function;
}

// Modules that leave the choice to NumPy read its table by this name.
bool names_the_features_of_numpy(ByteView bytes) {
    constexpr std::string_view name = "__cpu_features__";
    const std::string_view text(reinterpret_cast<const char*>(bytes.bytes().data()),
                                static_cast<std::size_t>(bytes.size()));
    return text.find(name) != std::string_view::npos;
}

// Microsoft's C runtime is linked into each module, asks cpuid when it starts, and notes the answer for its own functions and for
// loops that the compiler made: that is not the module's asking. `__isa_available_init` is told by the mask with which it
// compares the processor's signature; the runtime's mathematics (`__use_fma3_lib`) by its mask for AVX, FMA and OSXSAVE and the
// two neighbouring variables that are all that it writes. What follows the runtime reads a variable that these wrote, or is
// called by such functions alone.
class Runtime {
public:
    void add(const Walked& walked, std::size_t index) {
        Seen seen{index, walked.instructions.size(), {}, {}};
        bool asks = false;
        bool masks_signature = false;
        bool masks_features = false;
        for (const Instruction& instruction : walked.instructions) {
            if (instruction.memory != 0 && instruction.flow == Flow::next) {
                seen.variables.push_back(instruction.memory);
            }
            if (instruction.is_direct && instruction.flow != Flow::branch) {
                seen.calls.push_back(instruction.target);
            }
            asks = asks || instruction.does == Does::asks_the_processor;
            masks_signature = masks_signature || instruction.immediate == 0x0FFF3FF0;
            masks_features = masks_features || instruction.immediate == 0x18001000;
        }
        std::sort(seen.variables.begin(), seen.variables.end());
        seen.variables.erase(std::unique(seen.variables.begin(), seen.variables.end()), seen.variables.end());
        const bool has_two = seen.variables.size() == 2 && seen.variables[1] - seen.variables[0] == 4;
        if (asks && (masks_signature || (masks_features && has_two))) {
            start_.insert(index);
            noted_.insert(seen.variables.begin(), seen.variables.end());
        }
        seen_.push_back(std::move(seen));
    }

    /// Marks the functions that follow it; the runtime's own question does not count.
    void mark(std::vector<Function>& functions) {
        if (start_.empty()) {
            return;
        }
        for (const std::size_t index : start_) {
            functions[index].asks = false;
        }
        note_what_is_derived();
        for (const Seen& seen : seen_) {
            functions[seen.index].follows_runtime = reads_noted(seen);
        }
        while (mark_called(functions)) {
        }
    }

private:
    struct Seen {
        std::size_t index = 0;
        std::size_t instructions = 0;
        std::vector<std::uint64_t> variables;
        std::vector<std::uint64_t> calls;
    };

    // The runtime's variables lie side by side, and some are set by no function of the module.
    [[nodiscard]] bool reads_noted(const Seen& seen) const {
        return std::any_of(seen.variables.begin(), seen.variables.end(), [this](std::uint64_t address) {
            return noted_.contains(address) || noted_.contains(address - 4);
        });
    }

    // A short function that reads what was noted may note its own conclusion; what many functions have is something else.
    void note_what_is_derived() {
        constexpr std::size_t is_short = 64;
        constexpr std::size_t is_common = 16;
        std::unordered_map<std::uint64_t, std::size_t> uses;
        for (const Seen& seen : seen_) {
            for (const std::uint64_t address : seen.variables) {
                ++uses[address];
            }
        }
        std::vector<std::uint64_t> derived;
        for (const Seen& seen : seen_) {
            if (seen.instructions <= is_short && reads_noted(seen)) {
                std::copy_if(seen.variables.begin(), seen.variables.end(), std::back_inserter(derived),
                             [&uses](std::uint64_t address) { return uses.at(address) <= is_common; });
            }
        }
        noted_.insert(derived.begin(), derived.end());
    }

    // Marks the functions that only marked ones call; false when there is no further one.
    [[nodiscard]] bool mark_called(std::vector<Function>& functions) const {
        std::unordered_set<std::uint64_t> called;
        std::unordered_set<std::uint64_t> called_by_others;
        for (const Seen& seen : seen_) {
            (functions[seen.index].follows_runtime ? called : called_by_others)
                .insert(seen.calls.begin(), seen.calls.end());
        }
        bool is_changed = false;
        for (Function& function : functions) {
            const bool is_new = !function.follows_runtime && !function.features.empty() &&
                                called.contains(function.address) && !called_by_others.contains(function.address);
            function.follows_runtime = function.follows_runtime || is_new;
            is_changed = is_changed || is_new;
        }
        return is_changed;
    }

    std::vector<Seen> seen_;
    std::unordered_set<std::size_t> start_;
    std::unordered_set<std::uint64_t> noted_;
};

std::vector<std::string> ways_of_asking(const Code& code, const CodeMap& map, const Image& image, ByteView bytes) {
    std::vector<std::string> ways;
    if (std::any_of(code.functions.begin(), code.functions.end(), [](const Function& one) { return one.asks; })) {
        ways.emplace_back("cpuid");
    }
    if (map.has_indirect_functions) {
        ways.emplace_back("indirect functions");
    }
    for (const std::string_view name : asking_functions) {
        if (std::any_of(image.imports.begin(), image.imports.end(),
                        [name](const Import& import) { return import.name == name; })) {
            ways.emplace_back(name);
        }
    }
    if (ways.empty() && names_the_features_of_numpy(bytes)) {
        ways.emplace_back("NumPy's __cpu_features__");
    }
    return ways;
}

}  // namespace

ByteView bytes_of(ByteView file, const Image& image) {
    if (image.slice.empty()) {
        return file;
    }
    for (const macho::Slice& slice : macho::fat_slices(file)) {
        if (slice.name == image.slice) {
            return slice.bytes;
        }
    }
    throw Error(fmt::format("the file has no slice {}", image.slice));
}

bool is_scanned(const Image& image) noexcept {
    return image.machine == Machine::x86_64 && image.pointer_bits == 64 && image.kind != FileKind::object;
}

std::uint64_t code_size(const Image& image) noexcept {
    std::uint64_t size = 0;
    if (image.sections.empty()) {
        for (const MemoryRange& range : image.memory) {
            size += range.executable ? range.size : 0;
        }
    }
    for (const Section& section : image.sections) {
        size += section.executable ? section.size : 0;
    }
    return size;
}

Code read_code(std::span<const std::byte> file, const Image& image) {
    const ByteView bytes = bytes_of(file, image);
    const CodeMap map = code_map(bytes, image);
    const Decoder decoder;
    Code code;
    code.size = map.code_size();
    NameBudget names(name_budget(bytes.size()));
    Runtime runtime;
    code.not_decoded = for_each_function(map, decoder, [&](const Walked& walked) {
        names.take(walked.start.name);
        if (image.format == Format::pe) {
            runtime.add(walked, code.functions.size());
        }
        code.functions.push_back(facts_of(walked, map, decoder));
    });
    runtime.mark(code.functions);
    std::sort(code.functions.begin(), code.functions.end(),
              [](const Function& one, const Function& other) { return one.address < other.address; });
    code.asks = ways_of_asking(code, map, image, bytes);
    return code;
}

}  // namespace nasm_build::inspect::code
