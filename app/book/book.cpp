// cria book: the lessons and what is checked about them.
#include "app/book/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "app/book/excerpt.hpp"
#include "app/learn/chapter.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

/// Every page below chapters/ and docs/, as a path from the project's folder, in order.
std::vector<fs::path> find_pages(const fs::path& root) {
  std::vector<fs::path> pages;
  for (const char* folder : {"chapters", "docs"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder))
      if (entry.is_regular_file() && entry.path().extension() == ".md")
        pages.push_back(entry.path().lexically_relative(root));
  std::ranges::sort(pages);
  return pages;
}

/// Returns how many excerpts differ, or have been rewritten.
int compare_excerpts(const fs::path& root, bool refresh) {
  size_t total = 0, differing = 0;
  for (const fs::path& page : find_pages(root)) {
    const std::string text = read_file(root / page);
    const book::Lesson lesson = book::read_excerpts(text, page.string(), root);
    for (const book::Excerpt& excerpt : lesson.excerpts) {
      ++total;
      if (!excerpt.differs) continue;
      ++differing;
      fmt::print("{}:{}: {} {} {}\n", page.string(), excerpt.line, refresh ? "rewritten from" : "differs from",
                 excerpt.source, excerpt.region);
    }
    if (refresh && lesson.refreshed != text) write_file_atomically(root / page, lesson.refreshed);
  }
  fmt::print("{} of {} excerpts {}\n", differing, total, refresh ? "rewritten" : "differ from the source");
  if (differing && !refresh)
    fmt::print("Run cria book --refresh, then read whether the text still says what the code does.\n");
  return differing && !refresh ? 1 : 0;
}

}  // namespace

int run_book(const BookOptions& options) {
  if (options.check && options.refresh) throw UserError("cria book takes --check or --refresh, not both");
  const fs::path& root = learn::source_folder();
  if (options.check || options.refresh) return compare_excerpts(root, options.refresh);
  throw UserError("cria book takes --check or --refresh");
}

}  // namespace cria
