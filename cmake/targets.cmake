# SPDX-License-Identifier: Apache-2.0
# The library, the doors, the program, benchmarks and examples.

# --- the library ---
file(GLOB_RECURSE library_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.cc)
list(FILTER library_sources EXCLUDE REGEX "_test\\.cc$")
list(FILTER library_sources EXCLUDE REGEX "/src/(app|front)/")

# CMake wants at least one file in a library, also in a tree that has only headers so far.
if(NOT library_sources)
  file(WRITE ${CMAKE_BINARY_DIR}/empty.cc "")
  set(library_sources ${CMAKE_BINARY_DIR}/empty.cc)
endif()
add_library(holdfast STATIC ${library_sources})
add_dependencies(holdfast holdfast_rules)
target_include_directories(holdfast PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_include_directories(holdfast PRIVATE ${CMAKE_SOURCE_DIR}/src)
# Generated tables belong to the contract alone.
set(contract_sources ${library_sources})
list(FILTER contract_sources INCLUDE REGEX "/src/contract/")
set_property(SOURCE ${contract_sources} APPEND PROPERTY INCLUDE_DIRECTORIES ${HOLDFAST_GENERATED_DIR})
if(HOLDFAST_GENERATED_HEADERS AND contract_sources)
  set_property(SOURCE ${contract_sources} APPEND PROPERTY OBJECT_DEPENDS
    "${HOLDFAST_GENERATED_HEADERS}")
endif()
target_compile_options(holdfast PRIVATE -fno-exceptions)
# liburcu's inline read side: its thread-local record is C's and needs no test for an initialiser at each
# mention; its macros use what C++20 deprecates.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/sync/rcu.cc PROPERTIES
    COMPILE_OPTIONS "-fno-extern-tls-init")
else()
  set_source_files_properties(${CMAKE_SOURCE_DIR}/src/sync/rcu.cc PROPERTIES
    COMPILE_OPTIONS "-Wno-deprecated-volatile")
endif()
if(HOLDFAST_CONVERSION)
  target_compile_options(holdfast PRIVATE -Wconversion -Wsign-conversion)
endif()
target_link_libraries(holdfast PUBLIC holdfast_flags Threads::Threads ${CMAKE_DL_LIBS} fmt::fmt
                                      PkgConfig::urcu ${HOLDFAST_URCU_COMMON})
target_link_libraries(holdfast PRIVATE $<BUILD_INTERFACE:holdfast_warnings>)
if(libdw_FOUND)
  target_link_libraries(holdfast PUBLIC PkgConfig::libdw)
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/contract/symbol.cc PROPERTIES
  COMPILE_DEFINITIONS "HOLDFAST_HAS_LIBDW=$<BOOL:${libdw_FOUND}>")

# --- the doors: the public API is all they see ---
set(HOLDFAST_FRONTS "")
file(GLOB fuse_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/front/fuse/*.cc)
list(FILTER fuse_sources EXCLUDE REGEX "_test\\.cc$")
if(fuse_sources)
  if(NOT fuse3_FOUND)
    message(FATAL_ERROR "libfuse3 >= 3.14 is missing: install libfuse3-dev")
  endif()
  add_library(holdfast_front_fuse STATIC ${fuse_sources})
  target_compile_definitions(holdfast_front_fuse PUBLIC FUSE_USE_VERSION=314)
  target_link_libraries(holdfast_front_fuse PUBLIC holdfast PkgConfig::fuse3
                                            PRIVATE holdfast_warnings)
  list(APPEND HOLDFAST_FRONTS holdfast_front_fuse)
endif()

# --- the program; what lies beside main.cc is a library so that tests can link it ---
file(GLOB_RECURSE app_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/app/*.cc)
list(FILTER app_sources EXCLUDE REGEX "_test\\.cc$")
set(app_main ${app_sources})
list(FILTER app_main INCLUDE REGEX "/src/app/main\\.cc$")
list(FILTER app_sources EXCLUDE REGEX "/src/app/main\\.cc$")
if(app_main)
  find_package(CLI11 REQUIRED)
  find_package(nlohmann_json REQUIRED)
endif()
if(app_sources)
  add_library(holdfast_app_parts STATIC ${app_sources})
  target_include_directories(holdfast_app_parts PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(holdfast_app_parts PUBLIC ${HOLDFAST_FRONTS} holdfast CLI11::CLI11
                                                  nlohmann_json::nlohmann_json
                                           PRIVATE holdfast_warnings)
endif()
if(app_main)
  add_executable(holdfast_app ${app_main})
  # ENABLE_EXPORTS is -rdynamic: backtraces of violations can name functions.
  set_target_properties(holdfast_app PROPERTIES OUTPUT_NAME holdfast ENABLE_EXPORTS ON)
  target_include_directories(holdfast_app PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(holdfast_app PRIVATE $<TARGET_NAME_IF_EXISTS:holdfast_app_parts>
                        ${HOLDFAST_FRONTS} holdfast CLI11::CLI11 nlohmann_json::nlohmann_json
                        holdfast_warnings)
endif()

# --- benchmarks ---
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc)
list(FILTER bench_sources EXCLUDE REGEX "_test\\.cc$")
if(HOLDFAST_BUILD_BENCH AND bench_sources)
  find_package(benchmark REQUIRED)
  add_executable(holdfast_bench ${bench_sources})
  target_include_directories(holdfast_bench PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(holdfast_bench PRIVATE holdfast benchmark::benchmark
                                               benchmark::benchmark_main holdfast_warnings)
endif()

# --- examples: what a user would write, so they see include/ only ---
file(GLOB example_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.cc)
if(HOLDFAST_BUILD_EXAMPLES)
  foreach(source IN LISTS example_sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source})
    # ENABLE_EXPORTS: reports name functions also where no debug information is read.
    set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
    target_link_libraries(${name} PRIVATE ${HOLDFAST_FRONTS} holdfast holdfast_warnings)
  endforeach()
endif()

# All code without tests: what the analysis build and clang-tidy look at.
add_custom_target(holdfast_code)
foreach(target holdfast ${HOLDFAST_FRONTS} holdfast_app_parts holdfast_app)
  if(TARGET ${target})
    add_dependencies(holdfast_code ${target})
  endif()
endforeach()
