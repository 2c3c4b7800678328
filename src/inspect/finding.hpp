// What a rule says: a finding has a rule's id, a severity, a place, what is wrong, and how to mend it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nasm_build::inspect {

enum class Severity : std::uint8_t {
    error,  ///< will not import, load or run where its tag says
    warning,  ///< works today, by luck or with a risk
    note,  ///< worth knowing
};

/// A line of a source file. `line` counts from 1; 0 when only the file is known.
struct SourceLine {
    std::string file;
    unsigned line = 0;
    bool operator==(const SourceLine&) const = default;
};

/// What happens on the way to where a finding shows.
struct PathStep {
    SourceLine source;  ///< where in the source; without a file where that is not known
    std::string location;  ///< in the code: `multiply+0x1c`
    std::string words;  ///< `rbx written here`
    bool operator==(const PathStep&) const = default;
};

struct Finding {
    std::string rule;  ///< kebab case; never reused for another meaning
    Severity severity = Severity::error;
    std::string message;  ///< one sentence without a full stop
    std::string fix;  ///< what to type or change; never empty for an error
    std::string symbol;  ///< the symbol it is about, or empty: how the place in the source is found
    std::vector<SourceLine> places;  ///< where in the source, the likeliest first; filled from the build's objects
    std::vector<PathStep> path =
        {};  ///< how control comes there, in its order; empty where that is not what it is about
    std::string silenced;  ///< the reason given by the project when it silenced the finding; empty when it counts
};

/// A rule that could not be applied: told apart from one that was, and found nothing.
struct NotChecked {
    std::string rule;
    std::string reason;  ///< follows "not checked, because"
};

/// A rule that has nothing to say of this file: told apart from one that passed, and from one that could not be checked.
struct NotApplicable {
    std::string rule;
    std::string reason;  ///< follows "not applicable:"
};

/// What a family of rules says of one image.
struct Verdict {
    std::vector<Finding> findings;
    std::vector<NotChecked> not_checked;
    std::vector<NotApplicable> not_applicable;
};

[[nodiscard]] const char* name_of(Severity severity) noexcept;

/// Adds what another family says behind what is there.
void append(Verdict& all, Verdict one);

/// Errors first, then warnings, then notes; those of one severity stay in their order.
void sort_by_severity(std::vector<Finding>& findings);

}  // namespace nasm_build::inspect
