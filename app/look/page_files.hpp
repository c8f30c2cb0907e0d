// The page's files (app/look/page), which the build puts into the program, so that it needs no folder to be found.
#pragma once

#include <span>
#include <string_view>

namespace cria::look {

struct PageFile {
  std::string_view name;  // "index.html"
  std::string_view text;
};

/// All of them. What they show comes from data.js, which is not one of them: `cria look` writes it.
std::span<const PageFile> page_files();

}  // namespace cria::look
