// Where everything of the project stands in the site, and what has to be put there because a page refers to it.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cria::book {

using Path = std::filesystem::path;  // of the project from its folder, or of the site from its own

class Links {
 public:
  /// `pages` are the Markdown files that become pages; what else is linked to becomes a page of source, a list or a
  /// copy.
  Links(Path root, std::vector<Path> pages);

  /// The URL in the page of `from` for a link that its Markdown has. What goes nowhere is noted in problems().
  std::string resolve(const std::string& target, const Path& from);

  /// The URL from one file of the site to another.
  static std::string url(const Path& to, const Path& from);
  /// Where the page of a Markdown file, a source or a folder stands in the site.
  Path output(const Path& path) const;

  /// Notes an anchor that a page has. Once all pages are rendered, check_anchors() finds the links to others.
  void add_anchor(const Path& page, const std::string& anchor) { anchors_.insert({page, anchor}); }
  void check_anchors();

  /// Files and folders that pages have linked to since the last call.
  std::set<Path> take_wanted() { return std::exchange(wanted_, {}); }
  const std::set<Path>& images() const { return images_; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  bool is_page(const Path& path) const { return pages_.contains(path); }

  Path root_;
  std::set<Path> pages_, wanted_, images_;
  std::set<std::pair<Path, std::string>> anchors_;
  struct Reference {
    Path page;
    std::string anchor;
    Path from;
  };
  std::vector<Reference> references_;
  std::vector<std::string> problems_;
};

}  // namespace cria::book
