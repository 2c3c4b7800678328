# The unity build of LIEF 0.12.3 for Windows, by MinGW-w64: what lief-unity.cmake does, and two things more.
include("${CMAKE_CURRENT_LIST_DIR}/lief-unity.cmake")
# Larger batches: no file clashes with more of its neighbours here (found by trying; gcc 12).
set(CMAKE_UNITY_BUILD_BATCH_SIZE 40)

# Windows' headers, which one file of a batch includes, define the names of PE's constants as macros. LIEF has a header
# that takes them back; every file of a batch begins with it, less the name by which it would tell so each time.
function(nasm_build_undefine_windows_macros)
  set_target_properties(LIB_LIEF PROPERTIES UNITY_BUILD_CODE_BEFORE_INCLUDE
    "#undef IMAGE_FILE_MACHINE_UNKNOWN\n#define LIEF_PE_FORCE_UNDEF\n#include \"LIEF/PE/undef.h\"")
endfunction()

cmake_language(DEFER CALL nasm_build_undefine_windows_macros)
