# SPDX-License-Identifier: Apache-2.0
# rules/<edition>.rules -> <binary dir>/generated/holdfast_rules_<edition>.h, by tools/rulec.cc.
# rulec stands alone: it may use headers of include/ and src/, but links nothing of the library,
# because the library is built from what it writes.
set(HOLDFAST_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${HOLDFAST_GENERATED_DIR})
set(HOLDFAST_GENERATED_HEADERS "")

if(EXISTS ${CMAKE_SOURCE_DIR}/tools/rulec.cc)
  file(GLOB rulec_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/rulec/*.cc)
  add_executable(rulec ${CMAKE_SOURCE_DIR}/tools/rulec.cc ${rulec_sources})
  target_include_directories(rulec PRIVATE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src
                                           ${CMAKE_SOURCE_DIR}/tools)
  target_link_libraries(rulec PRIVATE holdfast_flags holdfast_warnings)
  # It only reads a text file; a sanitizer's leak check at its exit must not stop a build.
  # The older editions refer to the native one.
  set(native_rules ${CMAKE_SOURCE_DIR}/rules/6.6.rules)
  file(GLOB rule_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rules/*.rules)
  foreach(rule_file IN LISTS rule_files)
    get_filename_component(edition ${rule_file} NAME)
    string(REGEX REPLACE "\\.rules$" "" edition ${edition})
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" edition ${edition})
    set(header ${HOLDFAST_GENERATED_DIR}/holdfast_rules_${edition}.h)
    set(native ${native_rules})
    if(rule_file STREQUAL native_rules)
      set(native "")
    endif()
    add_custom_command(OUTPUT ${header}
      COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0
              $<TARGET_FILE:rulec> ${rule_file} ${header} ${native}
      DEPENDS rulec ${rule_file} ${native}
      COMMENT "Generating holdfast_rules_${edition}.h"
      VERBATIM)
    list(APPEND HOLDFAST_GENERATED_HEADERS ${header})
  endforeach()
endif()
add_custom_target(holdfast_rules DEPENDS ${HOLDFAST_GENERATED_HEADERS})
