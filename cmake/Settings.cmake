# What everything that includes cria's headers must agree on, other projects too. Every view is an xtensor expression.
# (Without XTENSOR_USE_XSIMD the layout of xtensor's types is the same whatever the -m flags.)
add_library(cria_settings INTERFACE)
add_library(cria::settings ALIAS cria_settings)
set_target_properties(cria_settings PROPERTIES EXPORT_NAME settings)
target_compile_features(cria_settings INTERFACE cxx_std_20)
target_include_directories(cria_settings INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
target_link_libraries(cria_settings INTERFACE $<BUILD_INTERFACE:xtensor> $<BUILD_INTERFACE:xtl> $<INSTALL_INTERFACE:xtensor>)
target_compile_definitions(cria_settings INTERFACE
  $<BUILD_INTERFACE:$<$<BOOL:${CRIA_ASSERT}>:XTENSOR_ENABLE_ASSERT>>
  $<$<BOOL:${CRIA_DOUBLE}>:CRIA_DOUBLE>
  $<BUILD_INTERFACE:$<$<BOOL:${CRIA_ASSERT}>:CRIA_ASSERT>>)

# How cria's own files are compiled; who links cria sees nothing of it.
# -fopenmp-simd lets a loop marked `omp simd reduction` form several partial sums, without fast-math and without OpenMP.
# Only the files of lib/simd add flags of their own, and they never include xtensor.
add_library(cria_flags INTERFACE)
target_compile_options(cria_flags INTERFACE -Wall -Wextra -Wshadow -fopenmp-simd -fno-math-errno
                                            # clang warns of an omp simd loop that it does not turn into vectors.
                                            $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>
                                            $<$<BOOL:${CRIA_NATIVE}>:-march=native>)
target_compile_definitions(cria_flags INTERFACE $<$<BOOL:${CRIA_ASSERT}>:_GLIBCXX_ASSERTIONS>)

if(CRIA_SANITIZE)
  set(cria_covered "")
  if(CRIA_SANITIZE MATCHES "address,undefined")
    # The address sanitizer notices these as well, and a test takes twice as long to compile with them.
    set(cria_covered -fno-sanitize=null,object-size,vptr)
  endif()
  add_compile_options(-fsanitize=${CRIA_SANITIZE} ${cria_covered} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CRIA_SANITIZE})
endif()

# A compiler cache is used where there is one. It cannot see into a precompiled header.
find_program(CRIA_CCACHE ccache)
mark_as_advanced(CRIA_CCACHE)
if(PROJECT_IS_TOP_LEVEL AND CRIA_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CRIA_CCACHE})
  set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON)
endif()
