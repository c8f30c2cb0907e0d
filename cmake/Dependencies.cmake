# Every dependency is taken from the system when it is there (Debian's packages), and fetched at a pinned tag otherwise.
include(FetchContent)
set(FETCHCONTENT_QUIET ON)

function(cria_dependency name repository tag)
  cmake_parse_arguments(arg "" "PACKAGE" "OPTIONS" ${ARGN})
  set(package ${name})
  if(arg_PACKAGE)
    set(package ${arg_PACKAGE})
  endif()
  foreach(option IN LISTS arg_OPTIONS)
    set(${option} OFF)
  endforeach()
  set(BUILD_TESTING OFF)
  FetchContent_Declare(${package} GIT_REPOSITORY https://github.com/${repository}.git GIT_TAG ${tag} GIT_SHALLOW ON
                       SYSTEM FIND_PACKAGE_ARGS)
  FetchContent_MakeAvailable(${package})
endfunction()

# xtensor and xtl move together: 0.24.3 with 0.7.2 (Debian 12), 0.25.0 with 0.7.7.
cria_dependency(xtl xtensor-stack/xtl 0.7.7)
cria_dependency(xsimd xtensor-stack/xsimd 13.2.0)
cria_dependency(xtensor xtensor-stack/xtensor 0.25.0)
cria_dependency(fmt fmtlib/fmt 10.1.1)
cria_dependency(nlohmann_json nlohmann/json v3.11.2 OPTIONS JSON_BuildTests)
cria_dependency(yaml-cpp jbeder/yaml-cpp 0.8.0 OPTIONS YAML_CPP_BUILD_TESTS YAML_CPP_BUILD_TOOLS)
cria_dependency(CLI11 CLIUtils/CLI11 v2.3.2)
find_package(Threads REQUIRED)

# utf8proc installs a pkg-config file only.
find_path(UTF8PROC_INCLUDE utf8proc.h)
find_library(UTF8PROC_LIBRARY utf8proc)
if(UTF8PROC_INCLUDE AND UTF8PROC_LIBRARY)
  add_library(utf8proc UNKNOWN IMPORTED GLOBAL)
  set_target_properties(utf8proc PROPERTIES IMPORTED_LOCATION ${UTF8PROC_LIBRARY}
                                            INTERFACE_INCLUDE_DIRECTORIES ${UTF8PROC_INCLUDE})
else()
  cria_dependency(utf8proc JuliaStrings/utf8proc v2.9.0)
endif()
