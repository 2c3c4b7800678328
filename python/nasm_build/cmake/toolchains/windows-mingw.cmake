# Modules for 64-bit Windows from another system, by MinGW-w64: CMAKE_TOOLCHAIN_FILE for a project with find_package(NasmBuild).
#
#   cmake -B build --toolchain …/toolchains/windows-mingw.cmake -DNASM_BUILD_TARGET_PYTHON=3.13
#
# C beside the assembly needs the headers of a CPython for Windows: -DPython_INCLUDE_DIR=… -DPython_LIBRARY=…/python313.lib
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(NASM_BUILD_TARGET win-amd64 CACHE STRING "The platform to build for")
find_program(CMAKE_C_COMPILER NAMES x86_64-w64-mingw32-gcc-posix x86_64-w64-mingw32-gcc REQUIRED)
find_program(CMAKE_CXX_COMPILER NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++)
find_program(CMAKE_RC_COMPILER NAMES x86_64-w64-mingw32-windres)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
