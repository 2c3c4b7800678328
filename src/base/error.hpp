// The one exception that crosses parts: something that the person at the keyboard can mend.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace nasm_build {

/// Thrown where work cannot go on; `nasm-ext` prints `error: <what>`, then `fix: <fix>`, and exits with 2.
class Error : public std::runtime_error {
public:
    explicit Error(const std::string& message, std::string fix = {})
        : std::runtime_error(message), fix_(std::move(fix)) {}

    /// What to type or to change, or empty.
    [[nodiscard]] const std::string& fix() const noexcept { return fix_; }

private:
    std::string fix_;
};

}  // namespace nasm_build
