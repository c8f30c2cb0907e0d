// cria book: the lessons and what is checked about them.
#include "app/book/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "app/book/excerpt.hpp"
#include "app/book/site.hpp"
#include "app/learn/chapter.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

/// The map of the chapters, their lessons, the other documents, and last the decisions: paths from the project's
/// folder.
std::vector<fs::path> find_pages(const fs::path& root) {
  const fs::path map = "docs/README.md";
  std::vector<fs::path> lessons, documents, decisions;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / "chapters"))
    if (fs::exists(entry.path() / "README.md")) lessons.push_back("chapters" / entry.path().filename() / "README.md");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / "docs")) {
    const fs::path path = entry.path().lexically_relative(root);
    if (path.extension() == ".md" && path != map)
      (path.parent_path() == "docs" ? documents : decisions).push_back(path);
  }
  std::vector<fs::path> pages{map};
  for (auto* part : {&lessons, &documents, &decisions}) {
    std::ranges::sort(*part);
    pages.insert(pages.end(), part->begin(), part->end());
  }
  return pages;
}

/// Returns the exit code: 1 when excerpts differ.
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

int write_book(const fs::path& root, const fs::path& out) {
  const book::SiteReport report = book::write_site(root, find_pages(root), out);
  for (const std::string& problem : report.problems) fmt::print("{}\n", problem);
  fmt::print("{} pages, {} sources, {} pictures: {}\n", report.pages, report.sources, report.images,
             learn::shown(out / "index.html"));
  return report.problems.empty() ? 0 : 1;
}

}  // namespace

int run_book(const BookOptions& options) {
  if (options.check && options.refresh) throw UserError("cria book takes --check or --refresh, not both");
  const fs::path& root = learn::source_folder();
  if (options.check || options.refresh) return compare_excerpts(root, options.refresh);
  return write_book(root, options.out.empty() ? root / "build" / "book" : fs::absolute(options.out));
}

}  // namespace cria
