// A page of Markdown as HTML. The library md4c reads it; here its events become tags.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cria::book {

/// What a page needs to know of the pages around it. Each function returns HTML or a URL.
struct Surroundings {
  std::function<std::string(const std::string& target)> link;                                // of a link or an image
  std::function<std::string(const std::string& source, const std::string& region)> excerpt;  // what stands above it
};

struct Section {
  int level;                // of its heading
  std::string id, heading;  // the anchor, as GitHub forms it; plain text
  std::string text;         // what can be found by searching
};

struct Page {
  std::string title;  // its first heading
  std::string html;
  std::vector<Section> sections;
};

/// CommonMark with tables, strikethrough, $formulas$ and bare URLs. Passes on what the functions throw.
Page render_markdown(const std::string& text, const Surroundings& surroundings);

}  // namespace cria::book
