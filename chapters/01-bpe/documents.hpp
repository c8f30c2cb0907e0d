// Documents: a text file may hold many, with a separator such as <|endoftext|> between each two.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace cria {

/// Calls use(document) for each document in order. A separator mostly stands on a line of its own: the one line end
/// before it and the one behind it belong to no document. Empty documents are left out. An empty separator separates
/// nothing.
template <class Use>
void for_each_document(std::string_view text, std::string_view separator, Use use) {
  for (bool first = true, last = false; !last; first = false) {
    const std::size_t end = separator.empty() ? std::string_view::npos : text.find(separator);
    last = end == std::string_view::npos;
    std::string_view document = text.substr(0, end);
    if (!last) text.remove_prefix(end + separator.size());
    if (!first) document.remove_prefix(document.starts_with("\r\n") ? 2 : document.starts_with('\n') ? 1 : 0);
    if (!last) document.remove_suffix(document.ends_with("\r\n") ? 2 : document.ends_with('\n') ? 1 : 0);
    if (!document.empty()) use(document);
  }
}

inline std::vector<std::string_view> split_documents(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> documents;
  for_each_document(text, separator, [&](std::string_view document) { documents.push_back(document); });
  return documents;
}

}  // namespace cria
