// The search for NASM: which candidates there are, in which order, and why each one that was passed over is no use.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nasm_build::toolchain {

/// Who named a candidate, in the order in which they are asked.
enum class NasmOrigin : std::uint8_t { setting, variable, search_path, usual_place, carried };

struct RejectedNasm {
    std::string path;
    NasmOrigin origin = NasmOrigin::search_path;
    std::string reason;  ///< `it is Yasm, not NASM`; a sentence without a full stop, about the path
};

struct FoundNasm {
    std::string path;
    std::string version;  ///< as it says itself: `2.16.01`
    NasmOrigin origin = NasmOrigin::search_path;
    std::vector<std::string> warnings;
};

/// Where to look. All text is UTF-8.
struct NasmPlaces {
    std::optional<std::string> setting;  ///< the project's setting: a path, or a name to look for in PATH
    std::optional<std::string> variable;  ///< the environment's NASM: the same
    std::vector<std::string> search_path;  ///< folders of PATH
    std::vector<std::string> usual_places;  ///< folders where installers put it
    std::optional<std::string> carried;  ///< the file that came with nasm-build
    std::chrono::milliseconds time_limit{2000};  ///< for one candidate's answer
};

struct NasmSearch {
    std::optional<FoundNasm> nasm;
    std::vector<RejectedNasm> rejected;  ///< those looked at before the one that was found
    // Why there is none, and what to do; both empty when one was found.
    std::string error;
    std::string fix;
};

/// The places of this machine. `setting` is the project's.
[[nodiscard]] NasmPlaces nasm_places(const std::optional<std::string>& setting);

/// Asks one candidate after the other for its version until one is NASM 2.15.05 or later. What the setting or the
/// variable names must be usable: another NASM in its stead would be a surprise, so then the search ends.
[[nodiscard]] NasmSearch find_nasm(const NasmPlaces& places);

/// `setting`, `NASM`, `PATH`, `usual place`, `carried`.
[[nodiscard]] const char* name_of(NasmOrigin origin) noexcept;

}  // namespace nasm_build::toolchain
