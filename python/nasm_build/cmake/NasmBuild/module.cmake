# nasm_add_module: a Python extension module of assembly, or of assembly beside C and C++.

# nasm_add_module(name [STABLE_ABI 3.10] [FREE_THREADED] SOURCES a.asm b.c …
#                 [FALLBACK a.c …] [INCLUDE folder …] [DEFINE NAME=value …] [LINK library …]
#                 [NO_CHECK | CHECK_IGNORE "rule=reason" …])
#
# INCLUDE and DEFINE are for the assembly and for the C beside it. The file's name is the one that the CPython looks for; where
# the target must have another name, set its OUTPUT_NAME.
function(nasm_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 own "FREE_THREADED;NO_CHECK" "STABLE_ABI"
    "SOURCES;FALLBACK;INCLUDE;DEFINE;LINK;CHECK_IGNORE")
  set(keywords STABLE_ABI FREE_THREADED SOURCES FALLBACK INCLUDE DEFINE LINK NO_CHECK CHECK_IGNORE)
  _nasm_build_check_arguments(nasm_add_module SOURCES "${keywords}" "${own_UNPARSED_ARGUMENTS}"
    "${own_KEYWORDS_MISSING_VALUES}" "${own_SOURCES};${own_FALLBACK};${own_INCLUDE};${own_CHECK_IGNORE}"
    "${own_DEFINE};${own_LINK}")
  _nasm_build_require_language(nasm_add_module)
  _nasm_build_check_module_arguments("${name}" "${own_SOURCES}" "${own_NO_CHECK}" "${own_CHECK_IGNORE}")
  set(stable_abi "${own_STABLE_ABI}")
  if(stable_abi AND own_FREE_THREADED AND NOT stable_abi MATCHES "t$")
    string(APPEND stable_abi "t")  # abi3t, PEP 803
  endif()
  _nasm_build_toolchain(chain_ "${stable_abi}" TRUE)

  set(assembly ${own_SOURCES})
  list(FILTER assembly INCLUDE REGEX "\\.(asm|nasm)$")
  set(others ${own_SOURCES})
  list(FILTER others EXCLUDE REGEX "\\.(asm|nasm)$")
  set(compiled ${others})
  if(NOT chain_ASSEMBLES OR chain_FALLBACK_HALF)
    list(APPEND compiled ${own_FALLBACK})
  endif()
  foreach(source IN LISTS others)
    _nasm_build_require_source("${source}" "${name}" _)
  endforeach()

  add_library(${name} MODULE ${others})
  _nasm_build_name_module(${name} "${chain_SUFFIX}" "${others}" "${compiled}")
  if(assembly)
    _nasm_build_add_assembly(${name} chain_ "${assembly}" "${own_FALLBACK}" "${own_INCLUDE}" "${own_DEFINE}" "")
  endif()
  if(compiled)
    _nasm_build_use_python(${name} chain_ "${stable_abi}" "${own_INCLUDE}" "${own_DEFINE}")
  endif()
  set(is_assembly_alone TRUE)
  if(compiled)
    set(is_assembly_alone FALSE)
  endif()
  _nasm_build_link_module(${name} chain_ ${is_assembly_alone})
  if(own_LINK)
    target_link_libraries(${name} PRIVATE ${own_LINK})
  endif()
  if(NOT own_NO_CHECK)
    _nasm_build_check_module(${name} chain_ "${stable_abi}" "${own_CHECK_IGNORE}")
  endif()
endfunction()

function(_nasm_build_check_module_arguments name sources no_check ignored)
  if(NOT sources)
    _nasm_build_fail(settings "nasm_add_module: no source for '${name}'" "nasm_add_module(${name} SOURCES ${name}.asm)")
  endif()
  if(no_check AND ignored)
    _nasm_build_fail(settings "nasm_add_module: NO_CHECK and CHECK_IGNORE exclude each other"
      "leave NO_CHECK out: the other rules are looked at then")
  endif()
  foreach(rule IN LISTS ignored)
    _nasm_build_check_ignored("${rule}")
  endforeach()
endfunction()

function(_nasm_build_name_module target suffix others compiled)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  set_target_properties(${target} PROPERTIES
    PREFIX "" DEBUG_POSTFIX "" C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(suffix AND NOT suffix MATCHES "NOTFOUND$")
    set_target_properties(${target} PROPERTIES SUFFIX "${suffix}")
  endif()
  if(NOT others)
    # Objects have no language. The driver of the fallbacks' links them, which stand among the objects of a universal2 module.
    set(language C)
    if(NOT "C" IN_LIST languages OR compiled MATCHES "\\.(cc|cpp|cxx)(;|$)")
      set(language CXX)
    endif()
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${language})
  endif()
endfunction()

# C beside the assembly takes the headers of the Python that FindPython finds.
function(_nasm_build_use_python target toolchain stable_abi includes defines)
  if(CMAKE_CROSSCOMPILING AND Python_INCLUDE_DIR)
    # Another platform's CPython: its headers were named, and what it exports is in nasm-ext's own tables.
    target_include_directories(${target} PRIVATE "${Python_INCLUDE_DIR}")
    if(${toolchain}LINK_STYLE STREQUAL "coff")
      _nasm_build_import_libraries(${target} "^python" ${${toolchain}IMPORT_WORDS})
    endif()
  elseif(stable_abi AND TARGET Python::SABIModule)
    target_link_libraries(${target} PRIVATE Python::SABIModule)
  else()
    if(NOT TARGET Python::Module)
      find_package(Python 3.10 QUIET COMPONENTS Interpreter Development.Module)
    endif()
    if(NOT TARGET Python::Module)
      _nasm_build_fail(toolchain "the headers of CPython ${${toolchain}PYTHON_VERSION} were not found, and '${target}' has C"
        "install them (Debian: apt install python3-dev), or name a CPython that has them: -DPython_EXECUTABLE=…")
    endif()
    target_link_libraries(${target} PRIVATE Python::Module)
  endif()
  if(stable_abi)
    string(REGEX MATCH "^3\\.([0-9]+)(t?)$" _ "${stable_abi}")
    math(EXPR hexadecimal "(3 << 24) + (${CMAKE_MATCH_1} << 16)" OUTPUT_FORMAT HEXADECIMAL)
    target_compile_definitions(${target} PRIVATE Py_LIMITED_API=${hexadecimal})
    if(CMAKE_MATCH_2)
      target_compile_definitions(${target} PRIVATE Py_TARGET_ABI3T=${hexadecimal})
    endif()
  elseif(WIN32 AND ${toolchain}PYTHON_VERSION MATCHES "t$")
    target_compile_definitions(${target} PRIVATE Py_GIL_DISABLED=1)  # pyconfig.h of Windows serves both builds
  endif()
  target_include_directories(${target} PRIVATE ${includes})
  target_compile_definitions(${target} PRIVATE ${defines})
endfunction()
