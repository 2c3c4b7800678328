# The objects of a universal2 binary on macOS: NASM's for x86-64 joined with C's for arm64, so that the target is linked once.

# Sets in the caller the joined objects. `fallbacks` stand in for all of `objects` together: one of each makes a pair, and what
# one side lacks is an empty file.
function(_nasm_build_join_halves target objects fallbacks half result)
  find_program(NASM_BUILD_LIPO NAMES lipo llvm-lipo llvm-lipo-19 DOC "Joins the halves of universal2 objects")
  if(NOT NASM_BUILD_LIPO)
    _nasm_build_fail(universal2 "there is no lipo, which joins the halves of a universal2 module"
      "xcode-select --install, or build for one architecture: -DCMAKE_OSX_ARCHITECTURES=x86_64")
  endif()
  list(LENGTH objects object_count)
  list(LENGTH fallbacks fallback_count)
  set(empty "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/nothing.c")
  file(GENERATE OUTPUT "${empty}" CONTENT "typedef int nothing;\n")
  set(count ${object_count})
  if(fallback_count GREATER count)
    set(count ${fallback_count})
  endif()
  set(joined "")
  math(EXPR last "${count} - 1")
  foreach(index RANGE ${last})
    _nasm_build_half(${target} "${fallbacks}" ${index} ${half} "${empty}" other)
    if(index LESS object_count)
      list(GET objects ${index} own)
    else()
      _nasm_build_half(${target} "" ${index} x86_64 "${empty}" own)
    endif()
    set(output "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}/universal2-${index}.o")
    add_custom_command(
      OUTPUT "${output}"
      COMMAND "${NASM_BUILD_LIPO}" -create "${own}" "${other}" -output "${output}"
      DEPENDS "${own}" "${other}"
      COMMENT "Joining the halves of ${target}"
      VERBATIM)
    list(APPEND joined "${output}")
  endforeach()
  set(${result} "${joined}" PARENT_SCOPE)
endfunction()

# The object of one architecture of the C source with that index, or of an empty one.
function(_nasm_build_half target sources index architecture empty result)
  list(LENGTH sources count)
  set(source "${empty}")
  if(index LESS count)
    list(GET sources ${index} source)
  endif()
  set(library "${target}.${architecture}.${index}")
  add_library(${library} OBJECT EXCLUDE_FROM_ALL "${source}")
  set_target_properties(${library} PROPERTIES
    OSX_ARCHITECTURES ${architecture} POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden)
  target_include_directories(${library} PRIVATE "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  target_compile_definitions(${library} PRIVATE "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
  set(${result} "$<TARGET_OBJECTS:${library}>" PARENT_SCOPE)
endfunction()
