# Writes OUT, which defines amt::commit().
# In this order: what the caller says, what git says of SOURCE_DIR, what `git archive` wrote into commit.txt.
if(COMMIT STREQUAL "" AND EXISTS "${SOURCE_DIR}/.git")
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env GIT_OPTIONAL_LOCKS=0
      git -C "${SOURCE_DIR}" describe --always --dirty=+ --abbrev=12 --exclude=*
    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed)
    set(COMMIT "")
  endif()
endif()
if(COMMIT STREQUAL "")
  file(STRINGS "${SOURCE_DIR}/cmake/commit.txt" COMMIT LIMIT_COUNT 1)
endif()
if(NOT COMMIT MATCHES "^[0-9a-f]+[+]?$")
  set(COMMIT "")
endif()
file(CONFIGURE OUTPUT "${OUT}" CONTENT [[
#include "cli/commit.hh"

namespace amt {

std::string_view commit() { return "@COMMIT@"; }

}  // namespace amt
]] @ONLY)
