// Folders of the build machine that a binary names, and that other machines do not have.
#pragma once

#include "inspect/expectations.hpp"
#include "inspect/finding.hpp"
#include "inspect/image.hpp"

namespace nasm_build::inspect {

/// Run paths of ELF and Mach-O, and Mach-O's install names: of needed libraries, and the file's own.
void check_build_paths(Verdict& verdict, const Image& image, const Expectations& expected);

}  // namespace nasm_build::inspect
