// Watches the input that is being read: its time, the process's memory, and what becomes of it when the process dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

// How a compiler says that it sanitizes: GCC by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__)
#define NASM_BUILD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NASM_BUILD_SANITIZED 1
#endif
#endif
#ifndef NASM_BUILD_SANITIZED
#define NASM_BUILD_SANITIZED 0
#endif

namespace nasm_build::fuzz {

inline constexpr bool is_sanitized = NASM_BUILD_SANITIZED != 0;

/// Writes `input` into `folder` under `name` when a signal, a sanitizer or the alarm ends the process. Both must outlive the reading.
void watch_input(std::span<const std::byte> input, const std::string& name);

/// Installs the handlers. An input that is read for longer than `alarm_seconds` ends the process.
void start_watching(const std::filesystem::path& folder, unsigned alarm_seconds);

/// Writes the watched input at once and returns its path.
std::string write_watched_input();

/// The most memory that the process ever had resident and mapped, in bytes; 0 where the system does not say. Monotonic, so
/// the growth over a run is at least that of each of its inputs.
struct PeakMemory {
    std::uint64_t resident = 0;
    std::uint64_t mapped = 0;
};
[[nodiscard]] PeakMemory peak_memory();

}  // namespace nasm_build::fuzz
