# One set of compiler options for everything: `amt_options`.
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED)

add_library(amt_options INTERFACE)
target_compile_options(amt_options INTERFACE
  -Wall -Wextra -Wpedantic
  -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wimplicit-fallthrough
  -fno-omit-frame-pointer)
if(AMT_WERROR)
  target_compile_options(amt_options INTERFACE -Werror)
endif()
# g++ 12 sees array bounds and overlaps crossed in its own inlined library code when it optimises (GCC bugs 105329, 107852).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(amt_options INTERFACE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
endif()
# Bounds of spans and vectors stay checked in release builds, too (docs/architecture.md, "Bytes").
target_compile_definitions(amt_options INTERFACE _GLIBCXX_ASSERTIONS)
if(AMT_SANITIZE)
  target_compile_definitions(amt_options INTERFACE AMT_SANITIZED)
  target_compile_options(amt_options INTERFACE -fsanitize=${AMT_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(amt_options INTERFACE -fsanitize=${AMT_SANITIZE})
  # What sanitizers add makes linking slow; lld takes a fifth of the time.
  include(CheckLinkerFlag)
  check_linker_flag(CXX -fuse-ld=lld AMT_HAVE_LLD)
  if(AMT_HAVE_LLD)
    target_link_options(amt_options INTERFACE -fuse-ld=lld)
  endif()
  if(AMT_SANITIZE MATCHES "thread")
    # The thread sanitizer knows no fences; Asio's queues have mutexes besides.
    target_compile_definitions(amt_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
if(AMT_FUZZ)
  # Guidance by edges alone: to watch comparisons too takes half the time, and the seeds know the constants already.
  target_compile_options(amt_options INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp)
endif()
if(AMT_COVERAGE)
  target_compile_options(amt_options INTERFACE --coverage)
  target_link_options(amt_options INTERFACE --coverage)
endif()
# The rooms become a program and a shared library (libamt): position-independent, and what the library does not export is
# called directly.
target_compile_options(amt_options INTERFACE -fPIC -fvisibility=hidden -fvisibility-inlines-hidden)
target_include_directories(amt_options INTERFACE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src")
