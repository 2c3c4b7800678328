// The families of rules: pure functions from the facts about a binary, and what it must be, to what is wrong with it.
//
// One file a family; none reads a file, a clock or the machine it runs on.
#pragma once

#include <span>

#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

[[nodiscard]] Verdict check_entry(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_python_api(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_python_library(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_tables(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_undefined_symbols(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_platform(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_policy(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_load(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_pe_loading(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_macho_loading(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_pe_hardening(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_elf_loading(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_elf_hardening(const Image& image, const Expectations& expected);
[[nodiscard]] Verdict check_hygiene(const Image& image, const Expectations& expected);

/// What only all slices of a file together can say: whether one is missing, and
/// whether they are of one build. For a file with one image as well.
[[nodiscard]] Verdict check_slices(std::span<const Image> slices, const Expectations& expected);

/// Every family but `check_slices`, errors first, then warnings, then notes; the order of the families otherwise.
[[nodiscard]] Verdict check_image(const Image& image, const Expectations& expected);

/// Adds to `not_applicable` each rule that the registry keeps from this image by its format or its scope, and that nothing
/// was said of. Then gives the ids of the rules that were checked and found nothing: every rule for binaries is in exactly
/// one of findings, not_checked, not_applicable and the result.
[[nodiscard]] std::vector<std::string> settle(Verdict& verdict, const Image& image, const Expectations& expected);

/// Whether a tag says what libraries every machine has: which others a binary needs is then check_policy's to say.
[[nodiscard]] bool promises_libraries(const Expectations& expected);

/// Whether the image has an entry point of any name, exported or not: what tells a module from a library where the
/// file's name does not.
[[nodiscard]] bool looks_like_module(const Image& image);

}  // namespace nasm_build::inspect
