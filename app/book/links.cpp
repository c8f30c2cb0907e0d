#include "app/book/links.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cria::book {
namespace fs = std::filesystem;
namespace {

bool is_image(const Path& path) {
  const fs::path kind = path.extension();
  return kind == ".svg" || kind == ".png" || kind == ".jpg";
}

}  // namespace

Links::Links(Path root, std::vector<Path> pages) : root_(std::move(root)), pages_(pages.begin(), pages.end()) {}

Path Links::output(const Path& path) const {
  if (path == "docs/README.md") return "index.html";  // the map of the chapters is what a reader meets first
  if (is_page(path) && path.filename() == "README.md") return path.parent_path() / "index.html";
  if (is_page(path)) return Path(path).replace_extension(".html");
  if (is_image(path)) return path;
  if (fs::is_directory(root_ / path)) return path / "index.html";
  return path.string() + ".html";
}

std::string Links::url(const Path& to, const Path& from) { return to.lexically_relative(from.parent_path()).string(); }

std::string Links::resolve(const std::string& target, const Path& from) {
  if (target.find("://") != target.npos || target.starts_with("mailto:")) return target;
  const size_t hash = std::min(target.find('#'), target.size());
  const std::string anchor = target.substr(hash);
  Path path = hash == 0 ? from : (from.parent_path() / target.substr(0, hash)).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // a folder's name may end with a slash
  if (path.native().starts_with("..") || !fs::exists(root_ / path)) {
    problems_.push_back(fmt::format("{}: the link to {} goes nowhere", from.string(), target));
    return target;
  }
  if (is_page(path / "README.md")) path /= "README.md";
  if (is_page(path)) {
    if (!anchor.empty()) references_.push_back({path, anchor.substr(1), from});
  } else {
    (is_image(path) ? images_ : wanted_).insert(path);
  }
  return hash == 0 ? anchor : url(output(path), output(from)) + anchor;
}

void Links::check_anchors() {
  for (const Reference& reference : references_)
    if (!anchors_.contains({reference.page, reference.anchor}))
      problems_.push_back(
          fmt::format("{}: {} has no heading #{}", reference.from.string(), reference.page.string(), reference.anchor));
}

}  // namespace cria::book
