# The version stands in project() alone. The commit belongs to one build: it is asked for each time, and written only when it
# has changed, into one small object of the program. A packager may say it: -DAMT_COMMIT=...
set(AMT_COMMIT "" CACHE STRING "The commit that the sources are of; empty: git is asked, or cmake/commit.txt")
set(AMT_COMMIT_SOURCE "${PROJECT_BINARY_DIR}/commit/commit.cc")
add_custom_target(amt_commit
  COMMAND "${CMAKE_COMMAND}" "-DCOMMIT=${AMT_COMMIT}" "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}" "-DOUT=${AMT_COMMIT_SOURCE}"
          -P "${PROJECT_SOURCE_DIR}/cmake/write_commit.cmake"
  BYPRODUCTS "${AMT_COMMIT_SOURCE}"
  VERBATIM)
