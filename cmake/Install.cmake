# cmake --install: the libraries, their headers, the program and its data, and find_package(cria) for other projects.
#
# Headers keep their folders: include/cria/lib/base/view.hpp, include/cria/chapters/08-llama/llama.hpp. They include each
# other from the project's root ("lib/base/view.hpp"), so include/cria is searched as well as include.
# Who uses an installed cria needs xtensor: views are its expressions.
include(CMakePackageConfigHelpers)
target_include_directories(cria_settings INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/cria>)
install(FILES ${PROJECT_BINARY_DIR}/include/cria/cria.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cria)
install(DIRECTORY lib chapters DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cria
        FILES_MATCHING PATTERN "*.hpp" PATTERN mistakes EXCLUDE)
install(TARGETS cria_all cria_settings ${libraries} EXPORT cria)
if(NOT CRIA_SYSTEM_UTF8PROC)
  install(TARGETS utf8proc EXPORT cria)  # fetched, and it exports nothing itself
endif()
if(TARGET cria_app)
  install(TARGETS cria_app)
  if(CRIA_TOOLS)
    install(TARGETS cria_bench cria_figure)  # learn and book work on the sources
  endif()
endif()
install(DIRECTORY data/ DESTINATION ${CMAKE_INSTALL_DATADIR}/cria PATTERN golden EXCLUDE)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cria)
install(EXPORT cria NAMESPACE cria:: FILE cria-targets.cmake DESTINATION ${config_folder})
configure_package_config_file(cmake/cria-config.cmake.in ${PROJECT_BINARY_DIR}/cria-config.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cria-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cria-config.cmake ${PROJECT_BINARY_DIR}/cria-config-version.cmake
              cmake/Findutf8proc.cmake DESTINATION ${config_folder})
