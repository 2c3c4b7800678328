#include "inspect/baseline.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "inspect/read/read.hpp"
#include "inspect/report/fingerprint.hpp"

namespace nasm_build::inspect {

namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1;
constexpr const char* reason = "it is in the baseline";
constexpr const char* how_to_make = "write one with nasm-ext check --write-baseline FILE";

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
    throw Error(fmt::format("{}: {}", path_to_utf8(file), why), how_to_make);
}

std::string text_of(const std::filesystem::path& file) {
    try {
        const FileBytes bytes = read_file(file);
        if (bytes.bytes().empty()) {
            return {};
        }
        return {reinterpret_cast<const char*>(bytes.bytes().data()), bytes.bytes().size()};
    } catch (const Error& error) {
        refuse(file, error.what());
    }
}

}  // namespace

Baseline read_baseline(const std::filesystem::path& file) {
    const Json document = Json::parse(text_of(file), nullptr, false);
    if (!document.is_object() || document.value("baseline_version", Json()) != Json(version) ||
        !document.contains("findings") || !document["findings"].is_array()) {
        refuse(file, "the file is no baseline of nasm-ext check");
    }
    Baseline baseline;
    for (const Json& entry : document["findings"]) {
        if (!entry.is_object() || !entry.contains("fingerprint") || !entry["fingerprint"].is_string()) {
            refuse(file, "an entry of the baseline has no fingerprint");
        }
        const auto text = [&](const char* key) {
            const auto found = entry.find(key);
            return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
        };
        baseline[text("fingerprint")] = fmt::format("{}: {}", text("rule"), text("message"));
    }
    return baseline;
}

std::string baseline_text(const Report& report) {
    Json findings = Json::array();
    Fingerprints fingerprints;
    for (const FileReport& file : report.files) {
        for (const Finding& finding : file.findings) {
            const std::string fingerprint = fingerprints.next(file, finding);
            if (finding.silenced.empty()) {
                findings.push_back({{"rule", finding.rule},
                                    {"file", file.member.empty() ? file.path : file.member},
                                    {"message", finding.message},
                                    {"fingerprint", fingerprint}});
            }
        }
    }
    const Json document = {{"baseline_version", version}, {"findings", std::move(findings)}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void silence_by_baseline(Report& report, Baseline baseline) {
    Fingerprints fingerprints;
    for (FileReport& file : report.files) {
        for (Finding& finding : file.findings) {
            const auto found = baseline.find(fingerprints.next(file, finding));
            if (found == baseline.end()) {
                continue;
            }
            if (finding.silenced.empty()) {
                finding.silenced = reason;
            }
            baseline.erase(found);
        }
    }
    for (const auto& [fingerprint, text] : baseline) {
        report.mended.push_back(text);
    }
    std::sort(report.mended.begin(), report.mended.end());
}

}  // namespace nasm_build::inspect
