// The report as SARIF 2.1.0 (OASIS), as GitHub code scanning takes it: rules with help, results with a place and a
// fingerprint, silenced ones as suppressions.
//
// What passed, is not applicable or was not checked stands in the properties of each file's artifact: as results of another
// kind a code scanning service would show each as an alert.
#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>

#include "inspect/report/fingerprint.hpp"
#include "inspect/report/report.hpp"
#include "inspect/rules/pages.hpp"
#include "inspect/rules/registry.hpp"

namespace nasm_build::inspect {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "https://json.schemastore.org/sarif-2.1.0.json";

const char* level_of(Severity severity) {
    return name_of(severity);  // SARIF's words are ours: error, warning, note
}

// RFC 3986: what is not unreserved is percent-encoded; `/` parts the segments.
std::string encoded(std::string_view path) {
    std::string text;
    for (const char letter : path) {
        const bool is_plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                              (letter >= '0' && letter <= '9') ||
                              std::string_view("-._~/").find(letter) != std::string_view::npos;
        text += is_plain ? std::string(1, letter) : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    return text;
}

std::string uri_of(std::string path) {
    for (char& letter : path) {
        letter = letter == '\\' ? '/' : letter;
    }
    const bool has_drive = path.size() > 2 && path[1] == ':' && path[2] == '/';
    if (has_drive) {
        return fmt::format("file:///{}:{}", path[0], encoded(std::string_view(path).substr(2)));
    }
    return path.starts_with('/') ? "file://" + encoded(path) : encoded(path);
}

Json rule_json(const Rule& rule) {
    const std::string page(rule_page(rule.id));
    return {{"id", rule.id},
            {"shortDescription", {{"text", rule.summary}}},
            {"fullDescription", {{"text", rule.summary}}},
            {"help", {{"text", page}, {"markdown", page}}},
            {"defaultConfiguration", {{"level", level_of(rule.severity)}}},
            {"properties",
             {{"tags", Json::array({std::string(rule.family)})},
              {"problem.severity", rule.severity == Severity::note ? "recommendation" : level_of(rule.severity)}}}};
}

std::size_t index_of(std::string_view id) {
    return static_cast<std::size_t>(find_rule(id) - all_rules().data());
}

/// The files of the report in the order of their first mention, each with its place in `artifacts`.
class Artifacts {
public:
    std::size_t index(const std::string& path) {
        const auto [entry, is_new] = indices_.try_emplace(path, list_.size());
        if (is_new) {
            list_.push_back({{"location", {{"uri", uri_of(path)}}}});
        }
        return entry->second;
    }

    Json& operator[](std::size_t index) { return list_[index]; }
    [[nodiscard]] const Json& list() const noexcept { return list_; }

private:
    std::map<std::string, std::size_t> indices_;
    Json list_ = Json::array();
};

Json physical_location(Artifacts& artifacts, const std::string& file, unsigned line) {
    // GitHub wants a line of every result; a binary has none, so its findings stand at the first.
    return {{"artifactLocation", {{"uri", uri_of(file)}, {"index", artifacts.index(file)}}},
            {"region", {{"startLine", line == 0 ? 1 : line}}}};
}

Json locations(Artifacts& artifacts, const FileReport& file, const Finding& finding) {
    const bool has_place = !finding.places.empty();
    Json location;
    location["physicalLocation"] =
        has_place ? physical_location(artifacts, finding.places.front().file, finding.places.front().line)
                  : physical_location(artifacts, file.path, 0);
    Json logical = Json::array();
    if (!file.member.empty() || !file.slice.empty()) {
        logical.push_back(
            {{"fullyQualifiedName", file.slice.empty() ? file.member : fmt::format("{} ({})", file.member, file.slice)},
             {"kind", "module"}});
    }
    if (!finding.symbol.empty()) {
        logical.push_back({{"name", finding.symbol}, {"kind", "member"}});
    }
    if (!logical.empty()) {
        location["logicalLocations"] = std::move(logical);
    }
    return Json::array({std::move(location)});
}

Json related_locations(Artifacts& artifacts, const Finding& finding) {
    Json others = Json::array();
    for (std::size_t index = 1; index < finding.places.size(); ++index) {
        others.push_back({{"physicalLocation",
                           physical_location(artifacts, finding.places[index].file, finding.places[index].line)}});
    }
    return others;
}

// The way there (SARIF 2.1.0, 3.36): one thread of control.
Json code_flows(Artifacts& artifacts, const FileReport& file, const Finding& finding) {
    Json steps = Json::array();
    for (const PathStep& step : finding.path) {
        const bool has_source = !step.source.file.empty();
        steps.push_back({{"location",
                          {{"physicalLocation", physical_location(artifacts, has_source ? step.source.file : file.path,
                                                                  has_source ? step.source.line : 0)},
                           {"message", {{"text", step.location + ": " + step.words}}}}}});
    }
    return Json::array({{{"threadFlows", Json::array({{{"locations", std::move(steps)}}})}}});
}

Json result_json(Artifacts& artifacts, Fingerprints& fingerprints, const FileReport& file, const Finding& finding) {
    const std::string fingerprint = fingerprints.next(file, finding);
    const std::string text =
        finding.fix.empty() ? finding.message : fmt::format("{}\nfix: {}", finding.message, finding.fix);
    Json result = {{"ruleId", finding.rule},
                   {"ruleIndex", index_of(finding.rule)},
                   {"level", level_of(finding.severity)},
                   {"message", {{"text", text}}},
                   {"locations", locations(artifacts, file, finding)}};
    if (Json others = related_locations(artifacts, finding); !others.empty()) {
        result["relatedLocations"] = std::move(others);
    }
    if (!finding.path.empty()) {
        result["codeFlows"] = code_flows(artifacts, file, finding);
    }
    // The first is the key that GitHub compares; without it, it would make one from a line of text, and a binary has none.
    result["partialFingerprints"] = {{"primaryLocationLineHash", fingerprint}, {"nasmBuildFinding/v1", fingerprint}};
    if (!finding.silenced.empty()) {
        result["suppressions"] = Json::array({{{"kind", "external"}, {"justification", finding.silenced}}});
    }
    return result;
}

template <typename Said>
Json with_reasons(const std::vector<Said>& rules) {
    Json list = Json::array();
    for (const Said& rule : rules) {
        list.push_back({{"rule", rule.rule}, {"reason", rule.reason}});
    }
    return list;
}

void add_outcomes(Artifacts& artifacts, const FileReport& file) {
    if (file.status != FileStatus::checked) {
        return;
    }
    const std::string part = file.member + (file.slice.empty() ? "" : "(" + file.slice + ")");
    artifacts[artifacts.index(file.path)]["properties"]["checked"].push_back(
        {{"part", part},
         {"passed", file.passed},
         {"notApplicable", with_reasons(file.not_applicable)},
         {"notChecked", with_reasons(file.not_checked)}});
}

void add_notification(Json& notifications, Artifacts& artifacts, const FileReport& file) {
    if (file.status == FileStatus::checked) {
        return;
    }
    const bool is_unreadable = file.status == FileStatus::unreadable;
    const std::string subject = file.member.empty() ? std::string() : file.member + ": ";
    notifications.push_back(
        {{"level", is_unreadable ? "error" : "note"},
         {"message", {{"text", subject + (is_unreadable ? "" : "not checked: ") + file.reason}}},
         {"locations", Json::array({{{"physicalLocation", physical_location(artifacts, file.path, 0)}}})}});
}

}  // namespace

std::string as_sarif(const Report& report) {
    Json rules = Json::array();
    for (const Rule& rule : all_rules()) {
        rules.push_back(rule_json(rule));
    }
    Artifacts artifacts;
    Fingerprints fingerprints;
    Json results = Json::array();
    Json notifications = Json::array();
    for (const FileReport& file : report.files) {
        add_notification(notifications, artifacts, file);
        add_outcomes(artifacts, file);
        for (const Finding& finding : file.findings) {
            results.push_back(result_json(artifacts, fingerprints, file, finding));
        }
    }
    const Json run = {
        {"tool", {{"driver", {{"name", "nasm-ext"}, {"version", NASM_BUILD_VERSION}, {"rules", std::move(rules)}}}}},
        {"invocations", Json::array({{{"executionSuccessful", summarize(report).unreadable == 0},
                                      {"toolExecutionNotifications", std::move(notifications)}}})},
        {"artifacts", artifacts.list()},
        {"columnKind", "unicodeCodePoints"},
        {"results", std::move(results)}};
    const Json document = {{"$schema", schema}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace nasm_build::inspect
