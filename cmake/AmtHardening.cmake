# What makes a bug harder to use, for every target, and the same octets from every folder. In CMAKE_CXX_FLAGS, before the
# build type's and a target's own: those may still take something back, as tests do that are not optimised.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)

# Position-independent: addresses are drawn at each start. Most compilers are built to do so. Not by
# CMAKE_POSITION_INDEPENDENT_CODE, which makes it -fPIC for a library and -fPIE for a program: those cannot share a precompiled
# header.
check_cxx_source_compiles("#ifndef __PIE__\n#error not by default\n#endif\nint main() {}" AMT_PIE_BY_DEFAULT)

set(amt_hardening -fstack-protector-strong)
if(NOT AMT_PIE_BY_DEFAULT)
  list(APPEND amt_hardening -fPIE)
endif()
# A large stack frame touches each page, so it cannot jump over the guard page.
check_cxx_compiler_flag(-fstack-clash-protection AMT_HAVE_STACK_CLASH)
if(AMT_HAVE_STACK_CLASH)
  list(APPEND amt_hardening -fstack-clash-protection)
endif()
# Indirect branches and returns go only where the program meant: CET on x86, BTI and PAC on arm64.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64|i.86)$")
  check_cxx_compiler_flag(-fcf-protection AMT_HAVE_CF_PROTECTION)
  if(AMT_HAVE_CF_PROTECTION)
    list(APPEND amt_hardening -fcf-protection)
  endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  check_cxx_compiler_flag(-mbranch-protection=standard AMT_HAVE_BRANCH_PROTECTION)
  if(AMT_HAVE_BRANCH_PROTECTION)
    list(APPEND amt_hardening -mbranch-protection=standard)
  endif()
endif()

# The C library checks sizes where the compiler knows them. It needs optimisation, and sanitizers check more themselves.
foreach(flags CMAKE_CXX_FLAGS CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE})
  string(TOUPPER ${flags} flags)
  string(REGEX REPLACE "-D_FORTIFY_SOURCE=[0-9]" "" ${flags} "${${flags}}")
endforeach()
string(TOUPPER "CMAKE_CXX_FLAGS_${CMAKE_BUILD_TYPE}" amt_type_flags)
if("${CMAKE_CXX_FLAGS} ${${amt_type_flags}}" MATCHES "-O[123s]" AND NOT AMT_SANITIZE AND NOT AMT_COVERAGE)
  # Level 3 came with g++ 12 and clang 15; glibc takes an older compiler's for level 2.
  list(APPEND amt_hardening -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()

# Neither debug information nor assertions name the folder of the build. Coverage tools need to find the sources there.
if(NOT AMT_COVERAGE)
  list(APPEND amt_hardening "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build" "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
endif()

list(JOIN amt_hardening " " amt_hardening)
string(APPEND CMAKE_CXX_FLAGS " ${amt_hardening}")
# All addresses are resolved at the start; the table of them is read-only from then on.
string(APPEND CMAKE_EXE_LINKER_FLAGS " -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed")
