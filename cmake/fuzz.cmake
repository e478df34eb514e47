# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/<target>_fuzz.cc -> fuzz_<target>, by clang's libFuzzer. What is fuzzed is compiled once
# more with its instrumentation and both sanitizers; so each target names the sources that it needs.
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "HOLDFAST_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++-19")
endif()
set(fuzz_flags -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -g -O1)

function(holdfast_fuzz_target name)
  add_executable(fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cc ${ARGN})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/src
    ${CMAKE_SOURCE_DIR}/include ${HOLDFAST_GENERATED_DIR})
  target_compile_options(fuzz_${name} PRIVATE ${fuzz_flags})
  target_link_options(fuzz_${name} PRIVATE ${fuzz_flags})
  target_link_libraries(fuzz_${name} PRIVATE holdfast_flags fmt::fmt)
  add_dependencies(fuzz_${name} holdfast_rules)
endfunction()

file(GLOB document_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/contract/document/*.cc)
list(FILTER document_sources EXCLUDE REGEX "_test\\.cc$")
holdfast_fuzz_target(document ${document_sources} ${CMAKE_SOURCE_DIR}/src/contract/editions.cc)
