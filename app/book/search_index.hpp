// What the search in the browser looks through.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/book/markdown.hpp"

namespace cria::book {

struct IndexedPage {
  std::string url;
  const Page* page;
};

/// A script that sets a list of [url, page, heading, text], one for each section. A script and not JSON, because
/// browsers let a page on the disk load scripts only.
std::string search_index(const std::vector<IndexedPage>& pages);

}  // namespace cria::book
