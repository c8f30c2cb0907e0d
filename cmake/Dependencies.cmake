# Every dependency is taken from the system where it is there (Debian's packages), and fetched at a pinned tag elsewhere.
include(FetchContent)
set(FETCHCONTENT_QUIET ON)

# cria_dependency(package owner/repository tag [SET variable value …])
# The variables are seen by the fetched project only. No version is asked for: xsimd's and Catch2's package files accept
# nothing but their own major version, and cria builds with several.
function(cria_dependency package repository tag)
  cmake_parse_arguments(arg "" "" "SET" ${ARGN})
  set(BUILD_TESTING OFF)
  set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)      # let the variables set here win over the options of older projects
  set(CMAKE_POLICY_VERSION_MINIMUM 3.5)      # CMake 4 refuses projects that ask for less
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING)
  while(arg_SET)
    list(POP_FRONT arg_SET variable value)
    set(${variable} ${value})
  endwhile()
  FetchContent_Declare(${package} GIT_REPOSITORY https://github.com/${repository}.git GIT_TAG ${tag} GIT_SHALLOW ON
                       SYSTEM FIND_PACKAGE_ARGS)
  FetchContent_MakeAvailable(${package})
endfunction()

# xtensor and xtl move together: 0.24.3 with 0.7.2 (Debian 12), 0.25.0 with 0.7.7.
cria_dependency(xtl xtensor-stack/xtl 0.7.7)
cria_dependency(xsimd xtensor-stack/xsimd 13.2.0)
cria_dependency(xtensor xtensor-stack/xtensor 0.25.0)
cria_dependency(fmt fmtlib/fmt 10.1.1 SET FMT_INSTALL ${CRIA_INSTALL})
cria_dependency(nlohmann_json nlohmann/json v3.11.2 SET JSON_BuildTests OFF JSON_Install ${CRIA_INSTALL})
cria_dependency(yaml-cpp jbeder/yaml-cpp 0.8.0
                SET YAML_CPP_BUILD_TESTS OFF YAML_CPP_BUILD_TOOLS OFF YAML_CPP_INSTALL ${CRIA_INSTALL})
# Found by Findutf8proc.cmake. Its own install rules ignore --prefix, so Install.cmake has one for it.
cria_dependency(utf8proc JuliaStrings/utf8proc v2.9.0 SET UTF8PROC_INSTALL OFF)
if(CRIA_APP)
  cria_dependency(CLI11 CLIUtils/CLI11 v2.3.2)
endif()
if(CRIA_APP AND CRIA_TOOLS)  # for cria book
  cria_dependency(md4c mity/md4c release-0.5.3 SET BUILD_MD2HTML_EXECUTABLE OFF BUILD_SHARED_LIBS OFF)
  if(NOT TARGET md4c::md4c)
    add_library(md4c::md4c ALIAS md4c)
  endif()
endif()
if(CRIA_APP)  # for the prompt line of cria chat, which is plain without it; part of macOS
  find_path(CRIA_EDIT_INCLUDE histedit.h)
  find_library(CRIA_EDIT_LIBRARY edit)
  mark_as_advanced(CRIA_EDIT_INCLUDE CRIA_EDIT_LIBRARY)
endif()
# For cria train on several machines. A sanitizer would find what MPI itself never frees.
set(CRIA_MPI_FOUND OFF)
if(CRIA_APP AND CRIA_MPI AND NOT (CRIA_MPI STREQUAL "AUTO" AND CRIA_SANITIZE))
  set(MPI_CXX_SKIP_MPICXX ON)  # the C functions are enough
  if(CRIA_MPI STREQUAL "AUTO")
    find_package(MPI QUIET COMPONENTS CXX)
  else()
    find_package(MPI REQUIRED COMPONENTS CXX)
  endif()
  set(CRIA_MPI_FOUND ${MPI_CXX_FOUND})
endif()
if(CRIA_TESTS)
  cria_dependency(Catch2 catchorg/Catch2 v3.7.1)
endif()
find_package(Threads REQUIRED)

# Before 0.8, yaml-cpp's target had no namespace.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
get_target_property(CRIA_SYSTEM_UTF8PROC utf8proc IMPORTED)
