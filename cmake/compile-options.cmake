# How our own sources are compiled: one interface target that every one of our targets links.
add_library(nasm-build-options INTERFACE)
target_compile_features(nasm-build-options INTERFACE cxx_std_20)
target_include_directories(nasm-build-options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(nasm-build-options INTERFACE "NASM_BUILD_VERSION=\"${PROJECT_VERSION}\"")
if(MSVC)
  target_compile_options(nasm-build-options INTERFACE /W4 /permissive- /utf-8
    $<$<BOOL:${NASM_BUILD_WARNINGS_AS_ERRORS}>:/WX>)
else()
  target_compile_options(nasm-build-options INTERFACE -Wall -Wextra -Wconversion -Wshadow
    $<$<BOOL:${NASM_BUILD_WARNINGS_AS_ERRORS}>:-Werror>
    # GCC 12 sees an overlap in `"text" + std::string` that is not there (GCC bug 105651).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
endif()
if(NASM_BUILD_SANITIZE)
  target_compile_options(nasm-build-options INTERFACE
    -fsanitize=${NASM_BUILD_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
  target_link_options(nasm-build-options INTERFACE -fsanitize=${NASM_BUILD_SANITIZE})
endif()
if(NASM_BUILD_FUZZERS)
  # What libFuzzer learns from: which edges ran, and what was compared with what.
  # GCC 12's std::stable_sort calls what clang 19 warns of.
  target_compile_options(nasm-build-options INTERFACE -fsanitize=fuzzer-no-link -Wno-deprecated-declarations)
endif()
