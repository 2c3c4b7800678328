#include "inspect/code/code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
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

// Microsoft's C runtime is linked into each module, asks cpuid when it starts (`__isa_available_init`), and notes the answer for
// its own functions and for loops that the compiler made: that is not the module's asking. It is told by the mask with which it
// compares the processor's signature, and what follows it by the variables that it wrote; a short function that reads one of
// them may set another (`__use_fma3_lib`).
class Runtime {
public:
    void add(const Walked& walked, std::size_t index) {
        constexpr std::uint64_t signature_mask = 0x0FFF3FF0;
        std::vector<std::uint64_t> variables;
        bool asks = false;
        bool has_mask = false;
        for (const Instruction& instruction : walked.instructions) {
            if (instruction.memory != 0) {
                variables.push_back(instruction.memory);
            }
            asks = asks || instruction.does == Does::asks_the_processor;
            has_mask = has_mask || instruction.immediate == signature_mask;
        }
        if (asks && has_mask) {
            start_.insert(index);
            noted_.insert(variables.begin(), variables.end());
        }
        if (!variables.empty()) {
            seen_.push_back({index, walked.instructions.size(), std::move(variables)});
        }
    }

    /// Marks the functions that follow it; the runtime's own question does not count.
    void mark(std::vector<Function>& functions) {
        if (start_.empty()) {
            return;
        }
        for (const std::size_t index : start_) {
            functions[index].asks = false;
        }
        constexpr std::size_t is_short = 64;
        std::unordered_set<std::uint64_t> also_noted;
        for (const Seen& seen : seen_) {
            if (seen.instructions <= is_short && reads(seen, noted_)) {
                also_noted.insert(seen.variables.begin(), seen.variables.end());
            }
        }
        for (const Seen& seen : seen_) {
            functions[seen.index].follows_runtime = reads(seen, noted_) || reads(seen, also_noted);
        }
    }

private:
    struct Seen {
        std::size_t index = 0;
        std::size_t instructions = 0;
        std::vector<std::uint64_t> variables;
    };

    static bool reads(const Seen& seen, const std::unordered_set<std::uint64_t>& variables) {
        return std::any_of(seen.variables.begin(), seen.variables.end(),
                           [&](std::uint64_t address) { return variables.contains(address); });
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
