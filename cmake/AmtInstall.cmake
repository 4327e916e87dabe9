# `cmake --install`: the program, and the documents that it writes itself; with a prefix of /usr or /usr/local also what
# belongs to the system (units, firewall services, examples in /etc/amt).
set(AMT_DOCUMENTS "${PROJECT_BINARY_DIR}/documents")
add_custom_command(OUTPUT "${AMT_DOCUMENTS}/written"
  COMMAND "${CMAKE_COMMAND}" "-DOUT=${AMT_DOCUMENTS}" -P "${PROJECT_SOURCE_DIR}/cmake/write_documents.cmake" -- ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:amt>
  DEPENDS amt "${PROJECT_SOURCE_DIR}/cmake/write_documents.cmake"
  COMMENT "Manual pages and completions"
  VERBATIM)
add_custom_target(amt_documents ALL DEPENDS "${AMT_DOCUMENTS}/written")
# All that `cmake --install` looks for.
add_custom_target(amt_installed DEPENDS amt amt_documents amt_shared amt_test_shared)
foreach(plugin gstamt amt_plugin)
  if(TARGET ${plugin})
    add_dependencies(amt_installed ${plugin})
  endif()
endforeach()

set(AMT_ZSH_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING "Where zsh looks for completions")

install(TARGETS amt RUNTIME)
install(DIRECTORY "${AMT_DOCUMENTS}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}")
install(FILES "${AMT_DOCUMENTS}/amt.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME amt)
install(FILES "${AMT_DOCUMENTS}/_amt" DESTINATION "${AMT_ZSH_DIR}")
install(FILES "${AMT_DOCUMENTS}/amt.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES README.md CHANGELOG.md LICENSE SECURITY.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY docs/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")

install(FILES "${AMT_DOCUMENTS}/relay.toml" "${AMT_DOCUMENTS}/gateway.toml" "${AMT_DOCUMENTS}/serve.toml" packaging/firewall/amt.nft
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")

# Of the system: `prefix` is known when it is installed, not before (`make install PREFIX=/usr`).
set(AMT_UNIT_DIR "lib/systemd/system" CACHE STRING "Where systemd looks for units, below the prefix")
foreach(variable AMT_DOCUMENTS AMT_UNIT_DIR)
  install(CODE "set(${variable} \"${${variable}}\")")
endforeach()
install(CODE "set(AMT_PACKAGING \"${PROJECT_SOURCE_DIR}/packaging\")")
install(SCRIPT cmake/install_system.cmake)
