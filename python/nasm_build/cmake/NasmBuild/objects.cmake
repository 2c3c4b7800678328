# Objects of assembly: a rule for each source, with its true dependencies.
#
# NASM runs in the folder of the CMakeLists.txt, with the source named relative to it, so that messages and debug data are. What
# NASM is told stands in a file of its own that changes when it does; of the rest of a command CMake itself sees a change.

# Makes the rules, and sets in the caller the objects and, in the same order, what the inspector reads lines from.
function(_nasm_build_objects target toolchain sources includes defines exports objects_result lines_result)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}")
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config)
    string(APPEND folder "/$<CONFIG>")
  endif()
  set(with_lines "$<CONFIG:Debug,RelWithDebInfo>")
  set(export_words "")
  foreach(name IN LISTS exports)
    list(APPEND export_words --export "${name}")
  endforeach()
  _nasm_build_nasm_content("${${toolchain}NASM}" nasm_content)
  _nasm_build_forget_dependencies(${target} forget)
  set(objects "")
  set(lined "")
  foreach(source IN LISTS sources)
    _nasm_build_require_source("${source}" "${target}" path)
    _nasm_build_object_name("${path}" "${objects}" "${folder}" "${${toolchain}OBJECT_SUFFIX}" object)
    _nasm_build_words("${path}" "${${toolchain}WORDS}" "${includes}" "${defines}" words)
    file(GENERATE OUTPUT "${object}.words" CONTENT "$<JOIN:${words},\n>\n" TARGET ${target})
    file(RELATIVE_PATH named "${CMAKE_CURRENT_SOURCE_DIR}" "${path}")
    if(named MATCHES "^\\.\\./\\.\\./")
      set(named "${path}")
    endif()
    set(lines_object "${object}.lines${${toolchain}OBJECT_SUFFIX}")
    add_custom_command(
      OUTPUT "${object}"
      COMMAND "${NASM_EXT}" assemble "${named}" --nasm "${${toolchain}NASM}" --object "${object}"
        --depfile "${object}.d" --words "${object}.words" "$<$<NOT:${with_lines}>:--lines;${lines_object}>" --hide
        ${export_words}
      ${forget}
      DEPENDS "${path}" "${object}.words" "${${toolchain}NASM}" "${nasm_content}" "${NASM_EXT}"
      DEPFILE "${object}.d"
      WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
      COMMENT "Assembling ${named}"
      COMMAND_EXPAND_LISTS
      VERBATIM)
    list(APPEND objects "${object}")
    list(APPEND lined "$<IF:${with_lines},${object},${lines_object}>")
  endforeach()
  set(${objects_result} "${objects}" PARENT_SCOPE)
  set(${lines_result} "${lined}" PARENT_SCOPE)
endfunction()

# Sets in the caller a file that changes when NASM's content does. Its date does not tell: a package manager gives it that of the
# package's own build, which is older than the objects.
function(_nasm_build_nasm_content nasm result)
  file(SHA256 "${nasm}" hash)
  set(file "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/nasm.sha256")
  file(GENERATE OUTPUT "${file}" CONTENT "${hash}\n")
  set(${result} "${file}" PARENT_SCOPE)
endfunction()

# Makefiles of a CMake older than 4.0 add what a new depfile says to what the old one said, so that an include that is gone for
# good has its sources assembled again by every build. Sets in the caller the command after which CMake reads the depfiles anew.
function(_nasm_build_forget_dependencies target result)
  set(${result} "" PARENT_SCOPE)
  if(CMAKE_GENERATOR MATCHES "Makefiles" AND CMAKE_VERSION VERSION_LESS 4.0)
    set(known "${CMAKE_CURRENT_BINARY_DIR}${CMAKE_FILES_DIRECTORY}/${target}.dir/compiler_depend.internal")
    set(${result} COMMAND "${CMAKE_COMMAND}" -E rm -f "${known}" PARENT_SCOPE)
  endif()
endfunction()

# The whole path of a source; a missing one is an error here, with the nearest name beside it.
function(_nasm_build_require_source source target result)
  get_filename_component(path "${source}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  get_source_file_property(is_generated "${path}" GENERATED)
  if(NOT EXISTS "${path}" AND NOT is_generated)
    get_filename_component(folder "${path}" DIRECTORY)
    get_filename_component(name "${path}" NAME)
    file(GLOB beside RELATIVE "${folder}" "${folder}/*")
    _nasm_build_nearest("${name}" "${beside}" meant)
    set(fix "create it, or correct its path, which begins at the folder of the CMakeLists.txt")
    if(meant)
      set(fix "did you mean '${meant}'?")
    endif()
    _nasm_build_fail(source-missing "source '${source}' of target '${target}' is not there" "${fix}")
  endif()
  set(${result} "${path}" PARENT_SCOPE)
endfunction()

# An object's path follows its source's, so that equal file names in two folders do not meet.
function(_nasm_build_object_name path taken folder suffix result)
  set(name "")
  foreach(base IN ITEMS "${CMAKE_CURRENT_SOURCE_DIR}" "${CMAKE_CURRENT_BINARY_DIR}")
    string(FIND "${path}" "${base}/" at)
    if(at EQUAL 0)
      file(RELATIVE_PATH name "${base}" "${path}")
    endif()
  endforeach()
  if(NOT name)
    get_filename_component(name "${path}" NAME)
  endif()
  set(object "${folder}/${name}${suffix}")
  set(number 1)
  while(object IN_LIST taken)
    math(EXPR number "${number} + 1")
    set(object "${folder}/${name}-${number}${suffix}")
  endwhile()
  set(${result} "${object}" PARENT_SCOPE)
endfunction()

# The words for NASM: the table's, include folders, definitions; those of the source's own properties last.
function(_nasm_build_words path table includes defines result)
  get_source_file_property(own_includes "${path}" INCLUDE_DIRECTORIES)
  get_source_file_property(own_defines "${path}" COMPILE_DEFINITIONS)
  get_source_file_property(own_words "${path}" COMPILE_OPTIONS)
  foreach(list IN ITEMS own_includes own_defines own_words)
    if(NOT ${list})
      set(${list} "")
    endif()
  endforeach()
  set(words ${table})
  get_filename_component(beside "${path}" DIRECTORY)
  foreach(folder IN LISTS includes own_includes)
    if(NOT IS_ABSOLUTE "${folder}" AND NOT folder MATCHES "^\\$<")
      set(folder "${CMAKE_CURRENT_SOURCE_DIR}/${folder}")
    endif()
    list(APPEND words "-I${folder}/")
  endforeach()
  list(APPEND words "-I${beside}/" "-I${NasmBuild_INCLUDE_DIR}/")
  foreach(define IN LISTS defines own_defines)
    string(REGEX REPLACE "^-D" "" define "${define}")
    list(APPEND words "-D${define}")
  endforeach()
  list(APPEND words ${own_words})
  set(${result} "${words}" PARENT_SCOPE)
endfunction()

# Sets in the caller a file that lists paths, one a line: cmd.exe runs no command of more than 8,191 characters.
function(_nasm_build_list_file target name paths result)
  set(file "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}.${name}")
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(is_multi_config)
    string(APPEND file ".$<CONFIG>")
  endif()
  file(GENERATE OUTPUT "${file}" CONTENT "$<JOIN:${paths},\n>\n")
  set(${result} "${file}" PARENT_SCOPE)
endfunction()
