# The C++ libraries that nasm-ext is made of. Each is a target of its own; SYSTEM includes keep their warnings out.
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
# From its headers alone: the shared library would bring the C++ library into every start of nasm-ext, 0.6 ms of it.
add_library(nasm-build-toml INTERFACE)
target_include_directories(nasm-build-toml SYSTEM INTERFACE
  $<TARGET_PROPERTY:tomlplusplus::tomlplusplus,INTERFACE_INCLUDE_DIRECTORIES>)
target_compile_definitions(nasm-build-toml INTERFACE TOML_HEADER_ONLY=1)
# The CMake files of a static libzip name zlib and do not look for it (1.7.3).
find_package(ZLIB QUIET)
find_package(libzip REQUIRED)
find_package(Zydis 4.0 REQUIRED)
find_package(Threads REQUIRED)

# 0.12.3 is the oldest LIEF without a published memory fault; nothing here ever downloads one.
find_package(LIEF 0.12.3 QUIET)
if(NOT LIEF_FOUND)
  message(FATAL_ERROR
    "LIEF 0.12.3 or newer was not found.\n"
    "fix: run ./dev setup, which builds it once for this machine and prints the folder; "
    "or install LIEF's SDK and give its folder as -DLIEF_DIR=…/share/LIEF/cmake")
endif()
