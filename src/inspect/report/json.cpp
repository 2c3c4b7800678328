// The report for programs; docs/check.schema.json says what each part means.
#include <nlohmann/json.hpp>

#include "inspect/report/report.hpp"

namespace nasm_build::inspect {

namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

const char* name_of(FileStatus status) {
    switch (status) {
        case FileStatus::checked:
            return "checked";
        case FileStatus::unreadable:
            return "unreadable";
        case FileStatus::not_checked:
            break;
    }
    return "not-checked";
}

Json to_json(const Finding& finding) {
    Json places = Json::array();
    for (const SourceLine& line : finding.places) {
        places.push_back({{"file", line.file}, {"line", line.line}});
    }
    Json path = Json::array();
    for (const PathStep& step : finding.path) {
        path.push_back({{"file", text_or_null(step.source.file)},
                        {"line", step.source.line},
                        {"location", step.location},
                        {"words", step.words}});
    }
    return {{"rule", finding.rule},    {"severity", inspect::name_of(finding.severity)}, {"message", finding.message},
            {"fix", finding.fix},      {"symbol", text_or_null(finding.symbol)},         {"places", std::move(places)},
            {"path", std::move(path)}, {"silenced", text_or_null(finding.silenced)}};
}

Json to_json(const FileReport& file) {
    Json findings = Json::array();
    for (const Finding& finding : file.findings) {
        findings.push_back(to_json(finding));
    }
    Json not_checked = Json::array();
    for (const NotChecked& rule : file.not_checked) {
        not_checked.push_back({{"rule", rule.rule}, {"reason", rule.reason}});
    }
    Json not_applicable = Json::array();
    for (const NotApplicable& rule : file.not_applicable) {
        not_applicable.push_back({{"rule", rule.rule}, {"reason", rule.reason}});
    }
    Json json = {{"path", file.path},
                 {"member", text_or_null(file.member)},
                 {"slice", text_or_null(file.slice)},
                 {"status", name_of(file.status)},
                 {"reason", text_or_null(file.reason)},
                 {"format", text_or_null(file.format)},
                 {"machine", text_or_null(file.machine)},
                 {"module", text_or_null(file.module)},
                 {"python", text_or_null(file.python)},
                 {"target", text_or_null(file.target)},
                 {"findings", std::move(findings)},
                 {"not_checked", std::move(not_checked)},
                 {"not_applicable", std::move(not_applicable)},
                 {"passed", file.passed}};
    if (file.followed.functions != 0) {
        json["followed"] = {{"functions", file.followed.functions},
                            {"not_followed", file.followed.not_followed},
                            {"taken_for_granted", taken_for_granted}};
    }
    return json;
}

}  // namespace

std::string as_json(const Report& report) {
    Json files = Json::array();
    for (const FileReport& file : report.files) {
        files.push_back(to_json(file));
    }
    const Summary sum = summarize(report);
    const Json document = {{"schema_version", schema_version},
                           {"tool", {{"name", "nasm-ext"}, {"version", NASM_BUILD_VERSION}}},
                           {"files", std::move(files)},
                           {"summary",
                            {{"files", sum.files},
                             {"modules", sum.modules},
                             {"libraries", sum.libraries},
                             {"wheels", sum.wheels},
                             {"errors", sum.errors},
                             {"warnings", sum.warnings},
                             {"notes", sum.notes},
                             {"silenced", sum.silenced},
                             {"unreadable", sum.unreadable},
                             {"rules_passed", sum.rules_passed},
                             {"rules_not_applicable", sum.rules_not_applicable},
                             {"rules_not_checked", sum.rules_not_checked}}},
                           {"mended", report.mended}};
    // Names in a binary may be any bytes; JSON is UTF-8.
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nasm_build::inspect
