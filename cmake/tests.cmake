# SPDX-License-Identifier: Apache-2.0
# Each test binary is one CTest entry (listing single cases at build time would start every binary
# once more per build); scripts/test reads the cases from GoogleTest's own reports.
# Label fast: part of every run. Label long: `scripts/test --long` and `ctest -L long`.
enable_testing()
find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)

# Folders of tests/ whose whole binary is too slow for every run.
set(HOLDFAST_LONG_TESTS crash fuzz pjdfstest)

function(holdfast_test_binary name)
  add_executable(${name} ${ARGN})
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}
                                             ${HOLDFAST_GENERATED_DIR})
  target_compile_definitions(${name} PRIVATE HOLDFAST_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  # For tests that start the program. Not for unit tests: ccache would not know them again in
  # another build folder.
  if(NOT name STREQUAL unit_tests)
    target_compile_definitions(${name} PRIVATE HOLDFAST_BINARY_DIR="${CMAKE_BINARY_DIR}")
  endif()
  # EXPECT_... below an unbraced if is what GoogleTest is made for.
  target_compile_options(${name} PRIVATE -Wno-dangling-else)
  target_link_libraries(${name} PRIVATE
    $<TARGET_NAME_IF_EXISTS:holdfast_app_parts> ${HOLDFAST_FRONTS} holdfast GTest::gmock
    GTest::gtest GTest::gtest_main rapidcheck holdfast_warnings)
  add_dependencies(${name} holdfast_rules)
  if(TARGET holdfast_app)
    add_dependencies(${name} holdfast_app)  # some tests start the program
  endif()
  if(TARGET broken_fs AND name STREQUAL test_examples)
    add_dependencies(${name} broken_fs)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  string(REGEX REPLACE "^test_" "" folder ${name})
  if(folder IN_LIST HOLDFAST_LONG_TESTS)
    set_tests_properties(${name} PROPERTIES LABELS long TIMEOUT 7200)
  else()
    set_tests_properties(${name} PROPERTIES LABELS fast TIMEOUT 900)
  endif()
endfunction()

file(GLOB_RECURSE unit_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*_test.cc
     ${CMAKE_SOURCE_DIR}/include/*_test.cc)
if(unit_sources)
  holdfast_test_binary(unit_tests ${unit_sources})
endif()

file(GLOB test_folders CONFIGURE_DEPENDS LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/*)
foreach(folder IN LISTS test_folders)
  if(IS_DIRECTORY ${folder})
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
    set(cases ${sources})
    list(FILTER cases INCLUDE REGEX "_test\\.cc$")
    if(cases)
      get_filename_component(name ${folder} NAME)
      holdfast_test_binary(test_${name} ${sources})
    endif()
  endif()
endforeach()
