// The lessons as a site of static files, which a browser shows from the disk as well as from a server.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cria::book {

struct SiteReport {
  std::size_t pages = 0, sources = 0, images = 0;
  std::vector<std::string> problems;  // links that go nowhere; the site is written all the same
};

/// Writes the site for the project in `root` to `out`. `pages` are Markdown files by their paths from `root`, in the
/// order in which they are read. Throws UserError when a file cannot be read or written, or a formula not be shown.
SiteReport write_site(const std::filesystem::path& root, const std::vector<std::filesystem::path>& pages,
                      const std::filesystem::path& out);

}  // namespace cria::book
