# What the linker is told of modules and of targets with assembly. The words are those of the setuptools door.

# NASM writes no note on the stack, without which a linker makes it executable, and glibc 2.41 refuses to load that.
function(_nasm_build_link_marks target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY" OR type STREQUAL "OBJECT_LIBRARY")
    set(scope INTERFACE)
  else()
    set(scope PRIVATE)
  endif()
  if(UNIX AND NOT APPLE)
    target_link_options(${target} ${scope} LINKER:-z,noexecstack)
  endif()
endfunction()

# Everything that a module is linked with beside its objects. `is_assembly_alone`: it has no C of its own.
function(_nasm_build_link_module target toolchain is_assembly_alone)
  set(release "$<NOT:$<CONFIG:Debug,RelWithDebInfo>>")
  if(${toolchain}LINK_STYLE STREQUAL "coff")
    _nasm_build_link_coff(${target} ${toolchain} ${is_assembly_alone})
  elseif(APPLE)
    target_link_options(${target} PRIVATE
      LINKER:-undefined,dynamic_lookup LINKER:-exported_symbol,_PyInit_* LINKER:-exported_symbol,_PyInitU_*
      LINKER:-exported_symbol,_PyModExport_* LINKER:-exported_symbol,_PyModExportU_* "$<${release}:LINKER:-S>")
    if(CMAKE_HOST_APPLE)
      target_link_options(${target} PRIVATE "$<${release}:LINKER:-x>")  # lld before 16 does not know it
    elseif(NOT CMAKE_OSX_SYSROOT)
      # dyld refuses a file that does not name libSystem; without an SDK a stub stands for it.
      _nasm_build_import_libraries(${target} "" --target "${${toolchain}PLATFORM}")
    endif()
  else()
    set(script "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}.map")
    file(GENERATE OUTPUT "${script}"
      CONTENT "{\n  global:\n    PyInit_*;\n    PyInitU_*;\n    PyModExport_*;\n    PyModExportU_*;\n  local:\n    *;\n};\n")
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${script}")
    target_link_options(${target} PRIVATE
      LINKER:-z,noexecstack LINKER:-z,relro LINKER:-z,now LINKER:-z,text LINKER:-z,separate-code
      "LINKER:--version-script=${script}")
    if(is_assembly_alone)
      # The start files do nothing for assembly; of the C library a module names what it needs.
      target_link_options(${target} PRIVATE -nostartfiles LINKER:--as-needed "$<${release}:LINKER:-s>")
    else()
      target_link_options(${target} PRIVATE "$<${release}:LINKER:--strip-debug>")
    endif()
  endif()
endfunction()

# Windows: the entry points are exported by a .def file that is written from the objects; a module of assembly alone needs no
# start code, and of CPython and of the C runtime no more than nasm-ext's own import libraries.
function(_nasm_build_link_coff target toolchain is_assembly_alone)
  get_target_property(objects ${target} _NASM_BUILD_OBJECTS)
  set(definition "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}.def")
  if(objects AND is_assembly_alone)
    _nasm_build_list_file(${target} objects "${objects}" list)
    add_custom_command(
      OUTPUT "${definition}"
      COMMAND "${NASM_EXT}" entry-points --module-definition "${definition}" "@${list}"
      DEPENDS ${objects}
      VERBATIM)
    target_sources(${target} PRIVATE "${definition}")
    _nasm_build_import_libraries(${target} "" ${${toolchain}IMPORT_WORDS})
  endif()
  if(MSVC)
    target_link_options(${target} PRIVATE /BREPRO)
    if(is_assembly_alone)
      target_link_options(${target} PRIVATE /NOENTRY /NODEFAULTLIB)
    endif()
  elseif(is_assembly_alone)
    target_link_options(${target} PRIVATE -nostdlib LINKER:--entry,0 LINKER:-s)
  endif()
endfunction()

# Links a target with what stands for another platform's libraries, written by `nasm-ext import-library` with these words; of them
# those whose name has the pattern.
function(_nasm_build_import_libraries target pattern)
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/nasm-objects/${target}.libraries")
  file(MAKE_DIRECTORY "${folder}")
  set(command "${NASM_EXT}" import-library --output "${folder}" ${ARGN})
  execute_process(COMMAND ${command} OUTPUT_VARIABLE libraries ERROR_VARIABLE refusal RESULT_VARIABLE status
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT status EQUAL 0)
    _nasm_build_relay(toolchain "${refusal}" "${command}" "${status}")
  endif()
  string(REPLACE "\n" ";" libraries "${libraries}")
  foreach(library IN LISTS libraries)
    get_filename_component(name "${library}" NAME)
    if(name MATCHES "${pattern}" OR pattern STREQUAL "")
      target_link_libraries(${target} PRIVATE "${library}")
    endif()
  endforeach()
endfunction()
