# The workshop's side of the build: each chapter once more, with a learner's files in place of its own.
#
# `cria learn` copies what it is about to build to CRIA_STAGE; the targets below are always defined and built on demand:
#   cria_rmsnorm_workshop      the chapter's library with the staged files, and the objects of its other files
#   test_03-rmsnorm_workshop   the chapter's tests, the same objects as test_03-rmsnorm
#   …_checked                  both with the staged files, lib/tensor and lib/simd, under index checks and sanitizers, to
#                              find the line at which an index or a pointer goes astray
#   cria_learn_workshop        cria-learn with the staged files of CRIA_WORKSHOP_CHAPTERS
#
# No executable holds two variants of a chapter: chapters link to each other through cria_choose_variant, which looks at the
# executable. So what a learner forgets is missing, and never silently taken from the reference.
set(CRIA_STAGE ${PROJECT_BINARY_DIR}/workshop)
set(CRIA_WORKSHOP_CHAPTERS "" CACHE STRING "Chapters whose staged files cria_learn_workshop is made of; set by cria learn")

# Compiles a target so that it stops where it goes astray. Only what a learner writes, and what they call with pointers:
# all of a chapter's tests take ten times as long to compile, and find no more. So do the other sanitizers for undefined
# behaviour, which look at each pointer once more: expressions would take twice as long.
function(cria_compile_checked target)
  target_compile_options(
    ${target} PRIVATE -g1 -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all
                      -fsanitize=address,bounds,shift,signed-integer-overflow,integer-divide-by-zero,return,unreachable)
  target_compile_definitions(${target} PRIVATE CRIA_ASSERT _GLIBCXX_ASSERTIONS)
endfunction()

# The objects cria_<library>_checked of a library in lib/, but for its kernels for newer CPUs, which take a minute to
# compile and index as the portable ones do.
function(cria_checked_objects library)
  if(TARGET cria_${library}_checked)
    return()
  endif()
  get_target_property(folder cria_${library} SOURCE_DIR)
  get_target_property(sources cria_${library} SOURCES)
  list(FILTER sources EXCLUDE REGEX "^target_")
  list(TRANSFORM sources PREPEND ${folder}/)
  get_target_property(links cria_${library} LINK_LIBRARIES)
  add_library(cria_${library}_checked OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(cria_${library}_checked PRIVATE ${links})
  cria_compile_checked(cria_${library}_checked)
endfunction()

# An expression for target_link_libraries that stands for cria_<name>, or for the variant that the executable asks for.
function(cria_choose_variant name variable)
  set(wanted $<TARGET_PROPERTY:CRIA_VARIANT_${name}>)
  set(${variable} "$<BUILD_INTERFACE:$<IF:$<BOOL:${wanted}>,${wanted},cria_${name}>>" "$<INSTALL_INTERFACE:cria::${name}>"
      PARENT_SCOPE)
endfunction()

# The variants of one chapter's library; called by cria_chapter. Files with a solution region are staged.
function(cria_workshop_library chapter name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  foreach(source IN LISTS arg_SOURCES)
    file(STRINGS ${source} regions REGEX "^ *// solution: ")
    cmake_path(GET source FILENAME file)
    if(regions)
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)  # its object is replaced
      list(APPEND staged ${CRIA_STAGE}/${chapter}/${file})
      list(APPEND replaced ${file})
    endif()
  endforeach()
  if(NOT staged)
    return()  # nothing of it is for a learner to write
  endif()
  set(replaced_names ${replaced})
  list(JOIN replaced "|" replaced)
  string(REPLACE "." "\\." replaced "${replaced}")
  set_source_files_properties(${staged} PROPERTIES GENERATED ON)
  set_property(GLOBAL PROPERTY CRIA_STAGED_${chapter} ${replaced_names})
  foreach(variant workshop checked)
    set(target cria_${name}_${variant})
    add_library(${target} STATIC EXCLUDE_FROM_ALL ${staged}
                "$<FILTER:$<TARGET_OBJECTS:cria_${name}>,EXCLUDE,/(${replaced})\\.o$>")
    target_link_libraries(${target} PUBLIC cria_settings ${arg_LINK} PRIVATE cria_flags ${arg_PRIVATE})
    target_compile_options(${target} PRIVATE -Wno-unused)  # a stub leaves much unused
    set_target_properties(${target} PROPERTIES UNITY_BUILD OFF)  # a learner changes one file at a time
    if(variant STREQUAL workshop)
      # As the chapters have it: the compiler takes a header precompiled without it for another one, and reads all again.
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
      target_precompile_headers(${target} REUSE_FROM cria_tensor)
    endif()
  endforeach()
  cria_compile_checked(cria_${name}_checked)
endfunction()

# The variants of one chapter's tests, made of the objects of the executable `test`; called by cria_test.
function(cria_workshop_test chapter test)
  string(SUBSTRING ${chapter} 3 -1 library)
  string(REPLACE "-" "_" library ${library})
  if(NOT TARGET cria_${library}_workshop)
    return()
  endif()
  get_target_property(links ${test} LINK_LIBRARIES)
  foreach(variant workshop checked)
    set(target test_${chapter}_${variant})
    set(objects $<TARGET_OBJECTS:${test}>)
    if(variant STREQUAL checked)  # first: of an inline function that several objects hold, the linker takes the first
      foreach(called simd tensor)
        cria_checked_objects(${called})
        list(PREPEND objects $<TARGET_OBJECTS:cria_${called}_checked>)
      endforeach()
      list(PREPEND objects $<TARGET_OBJECTS:cria_${library}_checked>)
    endif()
    add_executable(${target} EXCLUDE_FROM_ALL ${objects})
    list(TRANSFORM links REPLACE "^cria_${library}$" cria_${library}_${variant} OUTPUT_VARIABLE chosen)
    target_link_libraries(${target} PRIVATE ${chosen})
    set_target_properties(${target} PROPERTIES CRIA_VARIANT_${library} cria_${library}_${variant})
  endforeach()
  target_link_options(test_${chapter}_checked PRIVATE -fsanitize=address,undefined)
endfunction()

# The program with the staged files of CRIA_WORKSHOP_CHAPTERS; called once all of `program` is known. Its objects are those
# of `program`, but for the list of what is the learner's.
function(cria_workshop_program program)
  foreach(chapter IN LISTS CRIA_WORKSHOP_CHAPTERS)
    get_property(files GLOBAL PROPERTY CRIA_STAGED_${chapter})
    foreach(file IN LISTS files)
      cmake_path(GET file STEM stem)
      string(MAKE_C_IDENTIFIER cria_ran_${chapter}_${stem} mark)
      string(APPEND declarations "extern bool ${mark};\n")
      string(APPEND entries "{\"${chapter}\", &${mark}}, ")
    endforeach()
  endforeach()
  set(list ${PROJECT_BINARY_DIR}/app/workshop_components.cpp)
  configure_file(${PROJECT_SOURCE_DIR}/app/learn/components.cpp.in ${list} @ONLY)
  set(target ${program}_workshop)
  add_executable(${target} EXCLUDE_FROM_ALL ${list} $<TARGET_OBJECTS:cria_options> $<TARGET_OBJECTS:cria_commands>
                 "$<FILTER:$<TARGET_OBJECTS:${program}>,EXCLUDE,/learn/components\\.cpp\\.o$>")
  set_target_properties(${target} PROPERTIES OUTPUT_NAME cria-workshop)
  get_target_property(links ${program} LINK_LIBRARIES)
  foreach(chapter IN LISTS CRIA_WORKSHOP_CHAPTERS)
    string(SUBSTRING ${chapter} 3 -1 library)
    string(REPLACE "-" "_" library ${library})
    list(TRANSFORM links REPLACE "^cria_${library}$" cria_${library}_workshop)
    list(APPEND links cria_${library}_workshop)  # no command may use the chapter yet; the program still names its files
    set_target_properties(${target} PROPERTIES CRIA_VARIANT_${library} cria_${library}_workshop)
  endforeach()
  target_link_libraries(${target} PRIVATE ${links})
endfunction()
