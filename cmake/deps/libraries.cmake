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

# Nothing here ever downloads a LIEF. The readers call 0.12.3, and 0.17 to 1.0.0, whose parsers are called otherwise; the
# releases between them are like neither (src/inspect/read/lief_compat.hpp).
find_package(LIEF ${NASM_BUILD_LIEF_MINIMUM} QUIET)
if(NOT LIEF_FOUND)
  set(found "")
  if(LIEF_NOT_FOUND_MESSAGE)  # a LIEF whose own libraries are missing
    set(found ": ${LIEF_NOT_FOUND_MESSAGE}")
  elseif(LIEF_CONSIDERED_VERSIONS)
    list(JOIN LIEF_CONSIDERED_VERSIONS ", " versions)
    list(JOIN LIEF_CONSIDERED_CONFIGS ", " places)
    set(found ": there is ${versions}, by ${places}")
  endif()
  set(fix "install LIEF's SDK and give the folder of its LIEFConfig.cmake as -DLIEF_DIR=…")
  if(NASM_BUILD_LIEF_MINIMUM VERSION_LESS_EQUAL 0.12.3)
    string(PREPEND fix "run ./dev setup, which builds it once for this machine and prints the folder; or ")
  endif()
  message(FATAL_ERROR "LIEF ${NASM_BUILD_LIEF_MINIMUM} or newer was not found${found}\nfix: ${fix}")
endif()
if(LIEF_VERSION VERSION_GREATER_EQUAL 0.13 AND LIEF_VERSION VERSION_LESS 0.17)
  message(FATAL_ERROR "LIEF ${LIEF_VERSION} (${LIEF_DIR}) is not one that can be built with\n"
    "fix: take 1.0.0; 0.12.3 and 0.17 serve as well")
endif()
message(STATUS "LIEF ${LIEF_VERSION}: ${LIEF_DIR}")
