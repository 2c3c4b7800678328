# Installs the CMake package and the include library, for projects that use nasm-build without Python's packaging. A wheel has both in
# the package nasm_build already, and lacks the version file alone.
include(CMakePackageConfigHelpers)
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/NasmBuildConfigVersion.cmake"
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
if(SKBUILD)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/NasmBuildConfigVersion.cmake" DESTINATION nasm_build/cmake)
else()
  # find_package looks into share/NasmBuild*/cmake of each prefix.
  install(DIRECTORY python/nasm_build/cmake python/nasm_build/include DESTINATION share/NasmBuild COMPONENT package)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/NasmBuildConfigVersion.cmake" DESTINATION share/NasmBuild/cmake COMPONENT package)
endif()
