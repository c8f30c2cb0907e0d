# cmake --install: the libraries, their headers, the program and its data, and find_package(cria) for other projects.
#
# Headers keep their folders: include/cria/lib/base/view.hpp, include/cria/chapters/08-llama/llama.hpp. They include each
# other from the project's root ("lib/base/view.hpp"), so include/cria is searched as well as include. Leaves out
# lib/base/xtensor.hpp's dependencies: who wants array(view) in a consumer links xtensor there.
include(CMakePackageConfigHelpers)
get_property(libraries GLOBAL PROPERTY CRIA_LIBRARIES)
get_property(chapters GLOBAL PROPERTY CRIA_CHAPTERS)

# The umbrella: everything as cria::cria and <cria/cria.hpp>, with the same spelling in the build tree and installed.
add_library(cria_all INTERFACE)
add_library(cria::cria ALIAS cria_all)
set_target_properties(cria_all PROPERTIES EXPORT_NAME cria)
target_link_libraries(cria_all INTERFACE ${libraries})
target_include_directories(cria_all INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set(umbrella "// All chapters.\n#pragma once\n\n")
foreach(chapter IN LISTS chapters)
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/chapters/${chapter}/*.hpp)
  foreach(header IN LISTS headers)
    string(APPEND umbrella "#include \"cria/${header}\"\n")
  endforeach()
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/include/cria/cria.hpp CONTENT "${umbrella}" @ONLY)
foreach(folder lib chapters)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/include/cria/${folder} SYMBOLIC)
endforeach()

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
