#include "inspect/finding.hpp"

namespace nasm_build::inspect {

const char* name_of(Severity severity) noexcept {
    switch (severity) {
        case Severity::error:
            return "error";
        case Severity::warning:
            return "warning";
        case Severity::note:
            return "note";
    }
    return "error";
}

}  // namespace nasm_build::inspect
