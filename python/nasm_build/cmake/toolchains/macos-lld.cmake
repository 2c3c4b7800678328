# Modules for macOS on x86-64 from another system, by clang and LLVM's ld64: CMAKE_TOOLCHAIN_FILE for a project with
# find_package(NasmBuild).
#
#   cmake -B build --toolchain …/toolchains/macos-lld.cmake -DNASM_BUILD_TARGET_PYTHON=3.13
#
# Modules of assembly need no SDK: a stub stands for libSystem. C that includes the C library's headers needs one:
# -DCMAKE_OSX_SYSROOT=/path/to/MacOSX.sdk
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_OSX_ARCHITECTURES x86_64 CACHE STRING "The architectures to build for")
set(CMAKE_OSX_DEPLOYMENT_TARGET 11.0 CACHE STRING "The oldest macOS to build for")
if(NOT CMAKE_OSX_SYSROOT)
  set(CMAKE_OSX_SYSROOT "" CACHE PATH "The SDK, or nothing")
endif()
find_program(CMAKE_C_COMPILER NAMES clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(CMAKE_CXX_COMPILER NAMES clang++ clang++-22 clang++-21 clang++-20 clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14)
set(CMAKE_C_COMPILER_TARGET x86_64-apple-macos${CMAKE_OSX_DEPLOYMENT_TARGET})
set(CMAKE_CXX_COMPILER_TARGET x86_64-apple-macos${CMAKE_OSX_DEPLOYMENT_TARGET})
find_program(CMAKE_INSTALL_NAME_TOOL NAMES llvm-install-name-tool llvm-install-name-tool-19 install_name_tool)
find_program(CMAKE_AR NAMES llvm-ar llvm-ar-19)
find_program(CMAKE_RANLIB NAMES llvm-ranlib llvm-ranlib-19)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld")
set(CMAKE_MODULE_LINKER_FLAGS_INIT "-fuse-ld=lld -nostdlib")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-fuse-ld=lld -nostdlib")
