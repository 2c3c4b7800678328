// Which CPython exports which name, and which names are in the stable ABI: facts read from real interpreters.
//
// The table is generated (tools/python_symbols); python_symbols.inc says from which files each part of it was read, and
// how the few pairs of version and platform that could not be had were filled. The versions are those of CPython 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nasm_build::inspect {

/// The three families of platforms whose interpreters export different names.
enum class PythonPlatform : std::uint8_t { linux_like, macos, windows };

/// The feature under which CPython defines a name of the stable ABI (Misc/stable_abi.toml, key `ifdef`).
enum class StableCondition : std::uint8_t { none, windows, fork, stack_check, native_thread_id, reference_debugging };

/// The minor versions that the table knows.
inline constexpr unsigned oldest_known_minor = 6;
inline constexpr unsigned newest_known_minor = 15;

/// One build of CPython 3 on one family of platforms.
struct PythonExports {
    unsigned minor = newest_known_minor;
    PythonPlatform platform = PythonPlatform::linux_like;
    bool free_threaded = false;
    bool debug = false;
};

/// What is known about one name.
class PythonSymbol {
public:
    explicit PythonSymbol(std::size_t index) noexcept : index_(index) {}

    [[nodiscard]] std::string_view name() const noexcept;

    /// Whether that build exports the name. False for versions outside the table.
    [[nodiscard]] bool exported_by(const PythonExports& python) const noexcept;

    /// Whether any build of that version exports it, on any platform.
    [[nodiscard]] bool known_in(unsigned minor) const noexcept;

    /// The minor version in which the name came into the stable ABI; nothing when it is not in it.
    [[nodiscard]] std::optional<unsigned> stable_since() const noexcept;

    /// The condition on a name of the stable ABI.
    [[nodiscard]] StableCondition stable_condition() const noexcept;

    /// An object, not a function, as far as the stable ABI says.
    [[nodiscard]] bool is_stable_data() const noexcept;

    /// In the stable ABI, but not in the limited API that C sources see.
    [[nodiscard]] bool is_abi_only() const noexcept;

private:
    std::size_t index_;
};

/// The facts about a name, or nothing when no CPython from 3.6 to 3.15 exports it.
[[nodiscard]] std::optional<PythonSymbol> find_python_symbol(std::string_view name) noexcept;

/// Every name of the table, in the order of its bytes.
[[nodiscard]] std::vector<PythonSymbol> all_python_symbols();

}  // namespace nasm_build::inspect
