# nasm_target_sources: assembly for a target that is there already.

# nasm_target_sources(target <PRIVATE|PUBLIC|INTERFACE> a.asm …
#                     [FALLBACK a.c …] [INCLUDE folder …] [DEFINE NAME=value …] [EXPORT symbol …]
#                     [NO_CHECK | CHECK_IGNORE "rule=reason" …])
#
# FALLBACK is what stands in for the assembly where NASM cannot write for the processor. C and C++ of the target see
# NASM_BUILD_ASM, 1 or 0. EXPORT leaves symbols visible to users of a shared library; all others are hidden. A Python module
# (of pybind11, nanobind, Cython, python_add_library) is read back after its link, as those of nasm_add_module are.
function(nasm_target_sources target)
  cmake_parse_arguments(PARSE_ARGV 1 own "NO_CHECK" "" "PRIVATE;PUBLIC;INTERFACE;FALLBACK;INCLUDE;DEFINE;EXPORT;CHECK_IGNORE")
  set(keywords PRIVATE FALLBACK INCLUDE DEFINE EXPORT NO_CHECK CHECK_IGNORE)
  _nasm_build_check_arguments(nasm_target_sources "${keywords}" "${own_UNPARSED_ARGUMENTS}"
    "${own_KEYWORDS_MISSING_VALUES}" ${own_PRIVATE} ${own_PUBLIC} ${own_INTERFACE} ${own_FALLBACK} ${own_INCLUDE}
    ${own_DEFINE} ${own_EXPORT})
  if(NOT TARGET ${target})
    _nasm_build_fail(settings "nasm_target_sources: there is no target '${target}'"
      "call it behind the add_library or add_executable of '${target}'")
  endif()
  if(own_PUBLIC OR own_INTERFACE)
    _nasm_build_fail(settings "nasm_target_sources: the assembly of '${target}' cannot be part of its users"
      "PRIVATE: an object belongs to the one target that it is linked into")
  endif()
  if(own_NO_CHECK AND own_CHECK_IGNORE)
    _nasm_build_fail(settings "nasm_target_sources: NO_CHECK and CHECK_IGNORE exclude each other"
      "leave NO_CHECK out: the other rules are looked at then")
  endif()
  if(NOT own_PRIVATE)
    _nasm_build_fail(settings "nasm_target_sources: no source for '${target}'" "nasm_target_sources(${target} PRIVATE a.asm)")
  endif()
  _nasm_build_is_python_module(${target} is_module stable_abi)
  _nasm_build_toolchain(chain_ "${stable_abi}" ${is_module})
  _nasm_build_add_assembly(${target} chain_ "${own_PRIVATE}" "${own_FALLBACK}" "${own_INCLUDE}" "${own_DEFINE}"
    "${own_EXPORT}")
  get_target_property(is_checked ${target} _NASM_BUILD_CHECKED)
  if(is_module AND NOT own_NO_CHECK AND NOT is_checked)
    set_property(TARGET ${target} PROPERTY _NASM_BUILD_CHECKED TRUE)
    _nasm_build_check_module(${target} chain_ "${stable_abi}" "${own_CHECK_IGNORE}")
  endif()
endfunction()

# Whether a target is a Python module, told by its suffix, and the stable ABI that its definitions promise.
function(_nasm_build_is_python_module target is_module_result stable_abi_result)
  get_target_property(type ${target} TYPE)
  get_target_property(suffix ${target} SUFFIX)
  set(is_module FALSE)
  set(stable_abi "")
  if(type MATCHES "^(MODULE|SHARED)_LIBRARY$" AND suffix MATCHES "(cpython-|\\.abi3|\\.cp3|\\.pyd$)")
    set(is_module TRUE)
    get_target_property(definitions ${target} COMPILE_DEFINITIONS)
    if(suffix MATCHES "\\.abi3" AND definitions MATCHES "Py_LIMITED_API=0x03([0-9A-Fa-f][0-9A-Fa-f])")
      math(EXPR minor "0x${CMAKE_MATCH_1}")
      set(stable_abi "3.${minor}")
    endif()
  endif()
  set(${is_module_result} ${is_module} PARENT_SCOPE)
  set(${stable_abi_result} "${stable_abi}" PARENT_SCOPE)
endfunction()

# Gives a target its assembly, or what stands in for it. Its property _NASM_BUILD_LINES keeps what findings get lines from.
function(_nasm_build_add_assembly target toolchain sources fallbacks includes defines exports)
  set(whole_fallbacks "")
  foreach(source IN LISTS fallbacks)
    _nasm_build_require_source("${source}" "${target}" path)
    list(APPEND whole_fallbacks "${path}")
  endforeach()
  if((NOT ${toolchain}ASSEMBLES OR ${toolchain}FALLBACK_HALF) AND NOT fallbacks)
    _nasm_build_no_fallback(${target} "${sources}" "${${toolchain}PLATFORM}" "${${toolchain}FALLBACK_HALF}")
  endif()
  if(NOT ${toolchain}ASSEMBLES)
    target_sources(${target} PRIVATE ${whole_fallbacks})
    target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:C,CXX>:NASM_BUILD_ASM=0>)
    return()
  endif()
  _nasm_build_objects(${target} ${toolchain} "${sources}" "${includes}" "${defines}" "${exports}" objects lines)
  if(${toolchain}FALLBACK_HALF)
    _nasm_build_join_halves(${target} "${objects}" "${whole_fallbacks}" ${${toolchain}FALLBACK_HALF} objects)
    target_compile_options(${target} PRIVATE
      "$<$<COMPILE_LANGUAGE:C,CXX>:SHELL:-Xarch_x86_64 -DNASM_BUILD_ASM=1>"
      "$<$<COMPILE_LANGUAGE:C,CXX>:SHELL:-Xarch_${${toolchain}FALLBACK_HALF} -DNASM_BUILD_ASM=0>")
  else()
    target_compile_definitions(${target} PRIVATE $<$<COMPILE_LANGUAGE:C,CXX>:NASM_BUILD_ASM=1>)
  endif()
  set_property(TARGET ${target} APPEND PROPERTY _NASM_BUILD_LINES ${lines})
  set_property(TARGET ${target} APPEND PROPERTY _NASM_BUILD_OBJECTS ${objects})
  _nasm_build_link_marks(${target})
  get_target_property(target_folder ${target} SOURCE_DIR)
  if(NOT target_folder STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    # A rule belongs to the folder that it is written in; a target of another folder waits for it.
    string(SHA256 key "${objects}")
    string(SUBSTRING "${key}" 0 8 key)
    add_custom_target(${target}-nasm-${key} DEPENDS ${objects})
    add_dependencies(${target} ${target}-nasm-${key})
    set_source_files_properties(${objects} TARGET_DIRECTORY ${target} PROPERTIES GENERATED TRUE EXTERNAL_OBJECT TRUE)
  endif()
  target_sources(${target} PRIVATE ${objects})
endfunction()

function(_nasm_build_no_fallback target sources platform half)
  list(GET sources 0 first)
  get_filename_component(stem "${first}" NAME_WLE)
  set(message "NASM writes x86-64 code, and '${target}' is built for ${platform}")
  set(other "")
  if(half)
    set(message "NASM writes x86-64 code, and the ${half} half of '${target}' needs C that stands in for it")
    set(other "; or build for one architecture: -DCMAKE_OSX_ARCHITECTURES=x86_64")
  endif()
  _nasm_build_fail(no-fallback "${message}" "give C that stands in for ${first}: FALLBACK ${stem}.c${other}")
endfunction()
