// The facts as JSON, an entry a line: a program reads the whole, a person greps it.
#include <nlohmann/json.hpp>

#include "inspect/report/facts.hpp"

namespace nasm_build::inspect {

namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;

Json text_or_null(std::string_view text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

const char* word_of(FileKind kind) noexcept {
    switch (kind) {
        case FileKind::shared_library:
            return "shared-library";
        case FileKind::bundle:
            return "bundle";
        case FileKind::executable:
            return "executable";
        case FileKind::object:
            return "object";
        case FileKind::debug_symbols:
            return "debug-symbols";
        case FileKind::other:
            break;
    }
    return "other";
}

const char* word_of(SymbolKind kind) noexcept {
    switch (kind) {
        case SymbolKind::untyped:
            return "untyped";
        case SymbolKind::function:
            return "function";
        case SymbolKind::object:
            return "object";
        case SymbolKind::thread_local_object:
            return "thread-local-object";
        case SymbolKind::indirect_function:
            return "indirect-function";
        case SymbolKind::other:
            break;
    }
    return "other";
}

const char* word_of(HiddenBecause why) noexcept {
    switch (why) {
        case HiddenBecause::local:
            return "local";
        case HiddenBecause::visibility:
            return "visibility";
        case HiddenBecause::missing_underscore:
            return "missing-underscore";
        case HiddenBecause::ordinal_only:
            break;
    }
    return "ordinal-only";
}

Json word_of(Stack stack) {
    switch (stack) {
        case Stack::missing:
            return "missing";
        case Stack::executable:
            return "executable";
        case Stack::not_executable:
            return "not-executable";
        case Stack::not_applicable:
            break;
    }
    return nullptr;
}

Json to_json(const Export& one) {
    return {{"name", one.name},          {"address", one.address}, {"size", one.size},
            {"kind", word_of(one.kind)}, {"weak", one.weak},       {"forwarded_to", text_or_null(one.forwarded_to)}};
}

Json to_json(const HiddenSymbol& one) {
    return {{"name", one.name}, {"address", one.address}, {"because", word_of(one.why)}};
}

Json to_json(const Import& one) {
    return {{"name", one.name},
            {"library", text_or_null(one.library)},
            {"version", text_or_null(one.version)},
            {"weak", one.weak},
            {"flat", one.flat},
            {"missing_underscore", one.missing_underscore}};
}

Json to_json(const Library& one) {
    return {{"name", one.name}, {"weak", one.weak}, {"delayed", one.delayed}};
}

Json to_json(const MemoryRange& one) {
    return {{"name", text_or_null(one.name)}, {"address", one.address},   {"size", one.size},
            {"readable", one.readable},       {"writable", one.writable}, {"executable", one.executable}};
}

Json to_json(const Section& one) {
    return {{"name", text_or_null(one.name)},
            {"address", one.address},
            {"size", one.size},
            {"writable", one.writable},
            {"executable", one.executable}};
}

Json to_json(const TextRelocation& one) {
    return {{"address", one.address}, {"symbol", text_or_null(one.symbol)}};
}

const char* word_of(Hybrid hybrid) noexcept {
    switch (hybrid) {
        case Hybrid::arm64ec:
            return "arm64ec";
        case Hybrid::arm64x:
            return "arm64x";
        case Hybrid::none:
            break;
    }
    return "none";
}

const char* word_of(SignatureState state) noexcept {
    switch (state) {
        case SignatureState::damaged:
            return "damaged";
        case SignatureState::read:
            return "read";
        case SignatureState::absent:
            break;
    }
    return "absent";
}

Json to_json(const PeLoading& loading) {
    return {{"hybrid", word_of(loading.hybrid)},
            {"relocations_stripped", loading.relocations_stripped},
            {"has_relocations", loading.has_relocations},
            {"dynamic_base", loading.dynamic_base},
            {"high_entropy", loading.high_entropy},
            {"no_execute", loading.no_execute},
            {"control_flow_guard", loading.control_flow_guard}};
}

Json to_json(const MachoLoading& loading) {
    return {{"chained_fixups", loading.chained_fixups},
            {"signature", word_of(loading.signature.state)},
            {"signed_pages", loading.signature.pages},
            {"stale_pages", loading.signature.stale_pages}};
}

template <typename Items>
Json all(const Items& items) {
    Json array = Json::array();
    for (const auto& item : items) {
        array.push_back(to_json(item));
    }
    return array;
}

void add(Json& entry, const Image& image) {
    entry["format"] = name_of(image.format);
    entry["machine"] = name_of(image.machine);
    entry["pointer_bits"] = image.pointer_bits;
    entry["kind"] = word_of(image.kind);
    entry["own_name"] = text_or_null(image.soname);
    entry["size"] = image.file_size;
    entry["platform"] = text_or_null(image.platform);
    entry["minimum_system"] = text_or_null(image.minimum_system);
    entry["stack"] = word_of(image.stack);
    entry["libraries"] = all(image.libraries);
    entry["run_paths"] = image.run_paths;
    entry["exports"] = all(image.exports);
    entry["hidden"] = all(image.hidden);
    entry["imports"] = all(image.imports);
    entry["claims_text_relocations"] = image.claims_text_relocations;
    entry["text_relocations"] = all(image.text_relocations);
    entry["pe"] = image.format == Format::pe ? to_json(image.pe) : Json(nullptr);
    entry["macho"] = image.format == Format::macho ? to_json(image.macho) : Json(nullptr);
    entry["memory"] = all(image.memory);
    entry["sections"] = all(image.sections);
}

}  // namespace

std::string facts_head() {
    const Json tool = {{"name", "nasm-ext"}, {"version", NASM_BUILD_VERSION}};
    return "{\"schema_version\": " + std::to_string(schema_version) + ", \"tool\": " + tool.dump() + ", \"files\": [\n";
}

std::string facts_entry(const FileFacts& facts) {
    Json entry = {{"path", facts.path},
                  {"member", text_or_null(facts.member)},
                  {"slice", text_or_null(facts.image != nullptr ? std::string_view(facts.image->slice) : "")},
                  {"reason", text_or_null(facts.reason)}};
    if (facts.image != nullptr) {
        add(entry, *facts.image);
    }
    // Names in a binary may be any bytes; JSON is UTF-8.
    return entry.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view facts_separator() noexcept {
    return ",\n";
}

std::string_view facts_tail() noexcept {
    return "\n]}\n";
}

}  // namespace nasm_build::inspect
