# SPDX-License-Identifier: Apache-2.0
# Language, warnings, sanitizers, linker, compiler cache. Everything hangs on the interface targets
# holdfast_flags (all code) and holdfast_warnings, so that no global flag leaks anywhere.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# A release keeps line tables (violation reports name functions and lines) and drops assert().
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# -Og keeps frames readable at a speed at which the stress tests still interleave. Presets that set
# their own flags keep them ("-g" is what CMake itself starts with).
if(CMAKE_CXX_FLAGS_DEBUG STREQUAL "-g")
  set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
endif()

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${HOLDFAST_CCACHE})
endif()

add_library(holdfast_flags INTERFACE)
target_compile_options(holdfast_flags INTERFACE -fno-omit-frame-pointer)
# Public: checking on or off decides layouts and the ABI tag, so every user sees the same value.
target_compile_definitions(holdfast_flags INTERFACE
  HOLDFAST_CHECKING=$<BOOL:${HOLDFAST_CHECKING}>
  HOLDFAST_DEFAULT_CHECK_MODE=${HOLDFAST_DEFAULT_CHECK_MODE})

if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_flags INTERFACE
    -fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(holdfast_flags INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_link_options(holdfast_flags INTERFACE -fuse-ld=lld)
endif()
if(HOLDFAST_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# -Wnull-dereference is absent on purpose: g++ 12 reports paths after inlining that cannot be taken.
add_library(holdfast_warnings INTERFACE)
target_compile_options(holdfast_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Wformat=2
  -Wundef -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(holdfast_warnings INTERFACE
    -Wthread-safety -Wthread-safety-beta -Werror=thread-safety -Werror=thread-safety-beta)
endif()
if(HOLDFAST_WERROR)
  target_compile_options(holdfast_warnings INTERFACE -Werror)
endif()
