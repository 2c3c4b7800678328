# Joins LIEF 0.12.3's sources into a unity build: half the processor time of its 422 single compilations.
#
# Given to LIEF's own build as CMAKE_PROJECT_LIEF_INCLUDE, so its sources stay as they were released. The files named
# below define the same names in anonymous namespaces or macros, or are C, and are compiled on their own (found by
# trying; gcc 12).
set(CMAKE_UNITY_BUILD ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 12)

function(nasm_build_mark_lief_sources)
  file(GLOB_RECURSE c_sources "${LIEF_SOURCE_DIR}/src/*.c" "${LIEF_SOURCE_DIR}/api/c/*.c")
  file(GLOB_RECURSE clashing
    "${LIEF_SOURCE_DIR}/src/*/hash.cpp"
    "${LIEF_SOURCE_DIR}/src/*/json.cpp"
    "${LIEF_SOURCE_DIR}/src/hash_stream.cpp"
    "${LIEF_SOURCE_DIR}/src/*/EnumToString.cpp"
    "${LIEF_SOURCE_DIR}/src/*/*/hash.cpp"
    "${LIEF_SOURCE_DIR}/src/*/*/json.cpp")
  foreach(name Binary Builder DyldInfo BinaryParser)
    list(APPEND clashing "${LIEF_SOURCE_DIR}/src/MachO/${name}.cpp")
  endforeach()
  foreach(name Binary Builder Parser)
    list(APPEND clashing "${LIEF_SOURCE_DIR}/src/ELF/${name}.cpp")
  endforeach()
  list(APPEND clashing "${LIEF_SOURCE_DIR}/src/BinaryStream/Convert.cpp" ${c_sources})
  get_target_property(sources LIB_LIEF SOURCES)
  foreach(source IN LISTS sources)
    if(source MATCHES "mbedtls|\\.c$")
      list(APPEND clashing "${source}")
    endif()
  endforeach()
  set_source_files_properties(${clashing} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

cmake_language(DEFER CALL nasm_build_mark_lief_sources)
