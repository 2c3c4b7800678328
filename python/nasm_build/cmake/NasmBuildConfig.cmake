# find_package(NasmBuild): kernels and Python extension modules in NASM assembly for CMake projects.
#
#   nasm_add_module(name SOURCES …)                   a Python extension module, read back after its link
#   nasm_target_sources(target PRIVATE a.asm …)       assembly for a target that is there already
#
# docs/cmake.md describes both. Everything that depends on the platform is asked of `nasm-ext toolchain`, the one table.
if(CMAKE_VERSION VERSION_LESS 3.24)
  set(NasmBuild_FOUND FALSE)
  set(NasmBuild_NOT_FOUND_MESSAGE "nasm-build needs CMake 3.24 or newer, and this is ${CMAKE_VERSION}")
  return()
endif()

# Beside an installed package: lib/pythonX/site-packages/nasm_build/cmake of a wheel, --target, share/NasmBuild/cmake of a plain
# installation.
find_program(NASM_EXT nasm-ext
  HINTS
    "${CMAKE_CURRENT_LIST_DIR}/../../../../../bin" "${CMAKE_CURRENT_LIST_DIR}/../../../../Scripts"
    "${CMAKE_CURRENT_LIST_DIR}/../../bin" "${CMAKE_CURRENT_LIST_DIR}/../../../bin"
  DOC "nasm-ext, the native part of nasm-build"
  NO_CMAKE_FIND_ROOT_PATH)
if(DEFINED ENV{NASM_EXT} AND NOT "$ENV{NASM_EXT}" STREQUAL "")
  set(NASM_EXT "$ENV{NASM_EXT}" CACHE FILEPATH "nasm-ext, the native part of nasm-build" FORCE)
endif()
if(NASM_EXT AND NOT EXISTS "${NASM_EXT}")
  set(NasmBuild_FOUND FALSE)
  set(NasmBuild_NOT_FOUND_MESSAGE
    "NASM_EXT names ${NASM_EXT}, and there is no such file: name another, or take it away to have it searched for")
  return()
endif()
if(NOT NASM_EXT)
  set(NasmBuild_FOUND FALSE)
  set(NasmBuild_NOT_FOUND_MESSAGE
    "nasm-ext was not found beside this package, nor on PATH; reinstall nasm-build, or name it: -DNASM_EXT=/path/to/nasm-ext")
  return()
endif()

# Python.inc and its friends, for `%include`.
get_filename_component(NasmBuild_INCLUDE_DIR "${CMAKE_CURRENT_LIST_DIR}/../include" ABSOLUTE)
if(NOT EXISTS "${NasmBuild_INCLUDE_DIR}/Python.inc")
  set(NasmBuild_FOUND FALSE)
  set(NasmBuild_NOT_FOUND_MESSAGE "the folder of Python.inc is not beside this package: reinstall nasm-build")
  return()
endif()

foreach(component IN LISTS NasmBuild_FIND_COMPONENTS)
  if(component MATCHES "^(Module|Kernels)$")
    set(NasmBuild_${component}_FOUND TRUE)
  elseif(NasmBuild_FIND_REQUIRED_${component})
    set(NasmBuild_FOUND FALSE)
    set(NasmBuild_NOT_FOUND_MESSAGE "there is no component '${component}': there are Module and Kernels, and both are always there")
    return()
  endif()
endforeach()

set(NASM_BUILD_NASM "" CACHE FILEPATH "The NASM to use instead of the one that is found")
set(NASM_BUILD_TARGET "" CACHE STRING "The platform to build for, as sysconfig.get_platform() prints it; empty: CMake's own")
set(NASM_BUILD_TARGET_PYTHON "" CACHE STRING "The CPython to build for (3.13, 3.13t); empty: the one that FindPython finds")

include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/messages.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/python.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/toolchain.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/objects.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/halves.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/sources.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/link.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/check.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/NasmBuild/module.cmake")
