// Chapter 11, data.
#include "chapters/11-pretraining/data.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "chapters/01-bpe/documents.hpp"
#include "lib/base/check.hpp"

namespace cria {

Data::Data(std::vector<std::string> sources, std::uint64_t seed_of_order) : seed(seed_of_order) {
  if (is_built_in(sources)) {
    name = sources.front();
    return;
  }
  const std::vector<std::filesystem::path> paths = list_files(sources);
  for (const std::filesystem::path& path : paths) files.emplace_back(path);
  name = shown_path(sources.front());
  if (sources.size() > 1) name += fmt::format(" and {} more", sources.size() - 1);
}

bool Data::is_built_in(const std::vector<std::string>& sources) {
  constexpr std::string_view built_in[] = {"stories", "requests", "zipf"};
  return sources.size() == 1 && std::ranges::find(built_in, sources.front()) != std::end(built_in);
}

std::vector<std::string_view> Data::documents(std::string_view separator) const {
  if (is_requests()) throw UserError("requests are for `finetune`, expected stories or files");
  std::vector<std::string_view> found;
  size_t bytes = 0;
  for (const MappedFile& file : files) {
    bytes += file.text().size();
    for_each_document(file.text(), separator, [&](std::string_view text) { found.push_back(text); });
  }
  if (found.empty())
    throw UserError(bytes == 0 ? fmt::format("{} is empty, expected a text", name)
                               : fmt::format("{} holds nothing but separators, expected a text", name));
  return found;
}

}  // namespace cria
