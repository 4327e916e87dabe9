# Precompiled headers: parsing the standard library and GoogleTest is most of what a small file costs to compile.
#   amt_precompiled(TARGET)       code: the headers below
#   amt_test_program(TARGET)      a GoogleTest program: its own compiler options, and GoogleTest's headers too
# A file still names every header that it uses: tools/check_includes.py sees to it, and the preset `clang`,
# which precompiles nothing.
set(AMT_PRECOMPILED_HEADERS
  <algorithm> <array> <bit> <cerrno> <charconv> <chrono> <compare> <cstddef> <cstdint> <cstring> <deque> <functional> <map>
  <memory> <optional> <set> <span> <string> <string_view> <utility> <variant> <vector>
  <boost/unordered/unordered_flat_map.hpp>)

# The code under test is what users run; the tests themselves are only quicker to build.
set(AMT_TEST_OPTIONS -O0 -U_FORTIFY_SOURCE)

# One precompiled header serves all targets with the same compiler options.
function(amt_precompile NAME)
  set(empty "${CMAKE_CURRENT_BINARY_DIR}/${NAME}.cc")
  file(CONFIGURE OUTPUT "${empty}" CONTENT "// Nothing: the target exists for its precompiled header.\n")
  add_library(${NAME} OBJECT "${empty}")
  target_link_libraries(${NAME} PRIVATE amt_options)
  target_precompile_headers(${NAME} PRIVATE ${ARGN})
endfunction()

if(AMT_PRECOMPILED)
  amt_precompile(amt_headers ${AMT_PRECOMPILED_HEADERS})
  if(AMT_TESTS)
    amt_precompile(amt_test_headers ${AMT_PRECOMPILED_HEADERS} <gmock/gmock.h> <gtest/gtest.h>)
    target_compile_options(amt_test_headers PRIVATE ${AMT_TEST_OPTIONS})
    target_link_libraries(amt_test_headers PRIVATE GTest::gmock)
  endif()
endif()

# All of label unit and sim, without the program.
add_custom_target(unit_tests)

function(amt_precompiled TARGET)
  if(AMT_PRECOMPILED)
    target_precompile_headers(${TARGET} REUSE_FROM amt_headers)
  endif()
endfunction()

function(amt_test_program TARGET)
  add_dependencies(unit_tests ${TARGET})
  target_link_libraries(${TARGET} PRIVATE GTest::gmock GTest::gtest_main)
  target_compile_options(${TARGET} PRIVATE ${AMT_TEST_OPTIONS})
  if(AMT_PRECOMPILED)
    target_precompile_headers(${TARGET} REUSE_FROM amt_test_headers)
  endif()
endfunction()
