#include "app/book/search_index.hpp"

#include <nlohmann/json.hpp>

namespace cria::book {

std::string search_index(const std::vector<IndexedPage>& pages) {
  nlohmann::json index = nlohmann::json::array();
  for (const IndexedPage& page : pages)
    for (const Section& section : page.page->sections)
      index.push_back({page.url + "#" + section.id, page.page->title, section.heading, section.text});
  return "const searchIndex = " + index.dump() + ";\n";
}

}  // namespace cria::book
