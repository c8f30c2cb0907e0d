# cmake -DFILES=… -DOUT=… -P embed.cmake: writes the C++ that holds the page's files as text. They are ASCII or UTF-8, and
# none of them may have the end of the literal in it.
set(cpp "// Written by app/look/embed.cmake.\n#include \"app/look/page_files.hpp\"\n\nnamespace cria::look {\n\n")
string(APPEND cpp "std::span<const PageFile> page_files() {\n  static constexpr PageFile files[] = {\n")
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  if(text MATCHES "\\)look_page\"")
    message(FATAL_ERROR "${file} has the end of a literal in it")
  endif()
  string(APPEND cpp "      {\"${name}\", R\"look_page(${text})look_page\"},\n")
endforeach()
string(APPEND cpp "  };\n  return files;\n}\n\n}  // namespace cria::look\n")
file(WRITE "${OUT}" "${cpp}")
