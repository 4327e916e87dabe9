# A room: one folder, one static library `amt_<name>`, and beside the code its unit tests.
#   amt_room(wire DEPENDS ip)          every .cc of the folder but *_test.cc
# Rooms may include only what they DEPEND on (and through it what that depends on); tools/check_rooms.py checks the #includes.
function(amt_room NAME)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM ROOM_DEPENDS PREPEND "amt_")
  add_library(amt_${NAME} STATIC ${sources})
  target_link_libraries(amt_${NAME} PUBLIC amt_options ${ROOM_DEPENDS} ${ROOM_LINKS})
  if(AMT_TESTS AND tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE amt_${NAME} GTest::gmock GTest::gtest_main)
    # The code under test is what users run; the tests themselves are only quicker to build.
    target_compile_options(${NAME}_test PRIVATE -O0 -U_FORTIFY_SOURCE)
    add_test(NAME unit.${NAME} COMMAND ${NAME}_test)
    set_tests_properties(unit.${NAME} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
