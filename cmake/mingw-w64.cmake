# CMake toolchain file: compiles for Windows with Debian's MinGW-w64, into programs that need no other file.
#
# CMAKE_FIND_ROOT_PATH (-D…) names further folders with libraries for Windows; nothing of the building machine is found.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(mingw x86_64-w64-mingw32)
# The variant with POSIX threads: the other one's C++ library has no std::thread before GCC 13.
set(CMAKE_C_COMPILER ${mingw}-gcc-posix)
set(CMAKE_CXX_COMPILER ${mingw}-g++-posix)
set(CMAKE_RC_COMPILER ${mingw}-windres)
list(APPEND CMAKE_FIND_ROOT_PATH /usr/${mingw})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static -s")
# The import library lies beside it, and CMake would take that first.
set(ZLIB_LIBRARY /usr/${mingw}/lib/libz.a CACHE FILEPATH "zlib for Windows")
# Tests start these programs for moments: half the compiler's time is worth more than their speed.
set(CMAKE_C_FLAGS_RELEASE "-O1 -DNDEBUG" CACHE STRING "Flags of release builds in C")
set(CMAKE_CXX_FLAGS_RELEASE "-O1 -DNDEBUG" CACHE STRING "Flags of release builds in C++")
