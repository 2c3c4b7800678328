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
    void begin() {
        seen_.emplace_back();
        asks_ = masks_signature_ = masks_features_ = false;
    }
    void drop() { seen_.pop_back(); }

    void take(const Instruction& instruction) {
        Seen& seen = seen_.back();
        ++seen.instructions;
        if (instruction.memory != 0 && instruction.flow == Flow::next) {
            seen.variables.push_back(instruction.memory);
        }
        if (instruction.is_direct && instruction.flow != Flow::branch) {
            seen.calls.push_back(instruction.target);
        }
        asks_ = asks_ || instruction.does == Does::asks_the_processor;
        masks_signature_ = masks_signature_ || instruction.immediate == 0x0FFF3FF0;
        masks_features_ = masks_features_ || instruction.immediate == 0x18001000;
    }

    /// The function that was taken is the one with this index.
    void end(std::size_t index) {
        Seen& seen = seen_.back();
        seen.index = index;
        std::sort(seen.variables.begin(), seen.variables.end());
        seen.variables.erase(std::unique(seen.variables.begin(), seen.variables.end()), seen.variables.end());
        const bool has_two = seen.variables.size() == 2 && seen.variables[1] - seen.variables[0] == 4;
        if (asks_ && (masks_signature_ || (masks_features_ && has_two))) {
            start_.insert(index);
            noted_.insert(seen.variables.begin(), seen.variables.end());
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

    // Of the function that is being taken:
    bool asks_ = false;
    bool masks_signature_ = false;
    bool masks_features_ = false;
};

// Gathers the facts of each function as it is walked.
class Gatherer final : public FunctionSink {
public:
    Gatherer(const CodeMap& map, const Decoder& decoder, std::uint64_t name_limit, bool has_runtime, Code& code)
        : map_(map), decoder_(decoder), names_(name_limit), has_runtime_(has_runtime), code_(code) {}

    // Operands matter where the runtime's variables are to be found.
    [[nodiscard]] bool wants_plain() const override { return has_runtime_; }

    void begin(const Start& start) override {
        function_ = {};
        function_.address = start.address;
        function_.is_part = start.is_part;
        name_ = start.name;
        if (has_runtime_) {
            runtime_.begin();
        }
    }

    void take(const Instruction& instruction) override {
        function_.calls = function_.calls || instruction.flow == Flow::call;
        function_.keeps_frame = function_.keeps_frame || instruction.does == Does::sets_frame;
        function_.asks = function_.asks || instruction.does == Does::asks_the_processor;
        add_feature(instruction.feature, instruction.address);
        add_feature(instruction.encoding, instruction.address);
        if (has_runtime_) {
            runtime_.take(instruction);
        }
    }

    void end(std::uint64_t instructions) override {
        function_.instructions = instructions;
        names_.take(name_);
        function_.name = name_;
        std::sort(function_.witnesses.begin(), function_.witnesses.end(),
                  [](const Witness& one, const Witness& other) { return one.feature < other.feature; });
        for (Witness& witness : function_.witnesses) {
            witness.mnemonic = mnemonic_at(witness.address);
        }
        if (has_runtime_) {
            runtime_.end(code_.functions.size());
        }
        code_.functions.push_back(std::move(function_));
    }

    void drop() override {
        if (has_runtime_) {
            runtime_.drop();
        }
    }

    /// To be called behind the last function.
    void mark_runtime() { runtime_.mark(code_.functions); }

private:
    // The witness of each feature is the instruction with the lowest address.
    void add_feature(Feature feature, std::uint64_t address) {
        if (feature == Feature::baseline) {
            return;
        }
        if (!function_.features.has(feature)) {
            function_.features.add(feature);
            function_.witnesses.push_back({feature, address, {}});
            return;
        }
        Witness& known = *std::find_if(function_.witnesses.begin(), function_.witnesses.end(),
                                       [feature](const Witness& one) { return one.feature == feature; });
        known.address = std::min(known.address, address);
    }

    [[nodiscard]] std::string mnemonic_at(std::uint64_t address) const {
        const CodeSection& section = *map_.section_at(address);
        return decoder_.mnemonic(section.bytes.bytes().subspan(static_cast<std::size_t>(address - section.address)));
    }

    const CodeMap& map_;
    const Decoder& decoder_;
    NameBudget names_;
    bool has_runtime_;  ///< PE: Microsoft's C runtime may be in it
    Code& code_;
    Runtime runtime_;
    Function function_;  ///< the one that is being taken
    std::string_view name_;
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
    Gatherer gatherer(map, decoder, name_budget(bytes.size()), image.format == Format::pe, code);
    code.not_decoded = for_each_function(map, decoder, gatherer);
    gatherer.mark_runtime();
    std::sort(code.functions.begin(), code.functions.end(),
              [](const Function& one, const Function& other) { return one.address < other.address; });
    code.asks = ways_of_asking(code, map, image, bytes);
    return code;
}

}  // namespace nasm_build::inspect::code
