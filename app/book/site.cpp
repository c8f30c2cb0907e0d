// Renders every page once, then what they link to, and puts each into the frame data/book/page.html.
#include "app/book/site.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "app/book/html.hpp"
#include "app/book/links.hpp"
#include "app/book/markdown.hpp"
#include "app/book/search_index.hpp"
#include "app/learn/chapter.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria::book {
namespace fs = std::filesystem;
namespace {

struct Rendered {
  Path path;
  Page page;
};

class Site {
 public:
  Site(const Path& root, const std::vector<Path>& pages, const Path& out)
      : root_(root), out_(out), links_(root, pages) {
    for (const Path& path : pages) pages_.push_back({path, {}});
  }
  SiteReport write();

 private:
  Page render(const Path& path);
  void write_page(const Path& path, const Page& page, const std::string& turn);
  void write_source(const Path& path);
  void write_list(const Path& folder);
  void write_frame(const Path& path, const std::string& title, const std::string& content, const std::string& turn);
  std::string contents(const Path& from) const;
  std::string turn(size_t i) const;
  std::string anchor(const Path& to, const Path& from, const std::string& text) const;
  std::string excerpt(const std::string& source, const std::string& region, const Path& from);
  void save(const Path& path, const std::string& text) const;

  Path root_, out_;
  Links links_;
  std::vector<Rendered> pages_;
};

void Site::save(const Path& path, const std::string& text) const {
  fs::create_directories((out_ / path).parent_path());
  // Not synced as models are: some hundred files would take seconds, and a site is made again in one.
  std::ofstream file(out_ / path, std::ios::binary);
  if (!(file << text).flush()) throw UserError(fmt::format("{}: cannot be written", (out_ / path).string()));
}

std::string Site::anchor(const Path& to, const Path& from, const std::string& text) const {
  return fmt::format("<a href=\"{}\"{}>{}</a>", escape(Links::url(links_.output(to), links_.output(from))),
                     to == from ? " aria-current=\"page\"" : "", escape(text));
}

/// The line above code that is taken from a source, with a link to where it stands there.
std::string Site::excerpt(const std::string& source, const std::string& region, const Path& from) {
  const auto up = Path(source).lexically_relative(from.parent_path());
  const std::string url = links_.resolve(up.string(), from);
  size_t line = 1;
  for (const char* kind : {"solution", "example"})
    for (const learn::Region& known : learn::find_regions(read_file(root_ / source), source, kind))
      if (known.name == region) line = known.first_line + 2;
  return fmt::format("<p class=\"excerpt\"><a href=\"{}#L{}\">{}: {}</a></p>\n", escape(url), line,
                     escape(Path(source).filename().string()), escape(region));
}

Page Site::render(const Path& path) {
  const auto link = [&](const std::string& target) { return links_.resolve(target, path); };
  const auto from_source = [&](const std::string& source, const std::string& region) {
    return excerpt(source, region, path);
  };
  try {
    Page page = render_markdown(read_file(root_ / path), {link, from_source});
    for (const Section& section : page.sections) links_.add_anchor(path, section.id);
    return page;
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", path.string(), error.what()));
  }
}

/// The table of contents: every page, and of the one that is shown its sections.
std::string Site::contents(const Path& from) const {
  std::string html = "<ol>\n", part;
  for (const auto& [path, page] : pages_) {
    if (path.parent_path() == "docs/decisions") continue;  // they have a list of their own
    const std::string begins = part.empty() || path.native().starts_with(part) ? "" : " class=\"part\"";
    part = path.begin()->string();
    html += fmt::format("<li{}>{}", begins, anchor(path, from, page.title));
    if (path == from) {
      html += "<ul>";
      for (const Section& section : page.sections)
        if (section.level == 2)
          html += fmt::format("<li><a href=\"#{}\">{}</a></li>", escape(section.id), escape(section.heading));
      html += "</ul>";
    }
    html += "</li>\n";
  }
  return html + fmt::format("<li>{}</li>\n</ol>\n", anchor("docs/decisions", from, "Decisions"));
}

std::string Site::turn(size_t i) const {
  std::string html;
  const auto add = [&](size_t to, const char* rel) {
    html += fmt::format("<a rel=\"{}\" href=\"{}\">{}</a>", rel,
                        escape(Links::url(links_.output(pages_[to].path), links_.output(pages_[i].path))),
                        escape(pages_[to].page.title));
  };
  if (i > 0) add(i - 1, "prev");
  if (i + 1 < pages_.size()) add(i + 1, "next");
  return html;
}

void Site::write_frame(const Path& path, const std::string& title, const std::string& content,
                       const std::string& turn) {
  const Path output = links_.output(path);
  std::string html = read_file(root_ / "data/book/page.html");
  const auto fill = [&html](const std::string& name, const std::string& value) {
    for (size_t at = 0; (at = html.find(name, at)) != html.npos; at += value.size())
      html.replace(at, name.size(), value);
  };
  const std::string home = Links::url("index.html", output);
  fill("{{root}}", home.substr(0, home.size() - std::string("index.html").size()));
  fill("{{title}}", escape(title));
  fill("{{contents}}", contents(path));
  fill("{{turn}}", turn);
  fill("{{content}}", content);  // last, as it may show these names
  save(output, html);
}

void Site::write_source(const Path& path) {
  const std::string text = read_file(root_ / path);
  if (text.find('\0') != text.npos) {  // weights, in a folder that a page links to
    return write_frame(path, path.string(),
                       fmt::format("<h1 class=\"path\">{}</h1>\n<p>{} bytes that are no text.</p>\n",
                                   escape(path.string()), text.size()),
                       "");
  }
  const std::string kind = path.extension();
  const std::string language = kind == ".cpp" || kind == ".hpp" || kind == ".inl" ? "cpp"
                               : kind == ".diff"                                  ? "diff"
                                                                                  : "";
  std::string html = fmt::format("<h1 class=\"path\">{}</h1>\n<pre class=\"source\"><code>", escape(path.string()));
  size_t number = 0;
  for (const std::string& line : learn::split_lines(highlight(text, language)))
    html += fmt::format("<span id=\"L{}\">{}\n</span>", ++number, line);
  write_frame(path, path.string(), html + "</code></pre>\n", "");
}

/// A folder that a page links to: what is in it, pages by their titles and files by their names.
void Site::write_list(const Path& folder) {
  std::vector<Path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(root_ / folder))
    if (entry.is_regular_file() && entry.path().filename().native().front() != '.')
      files.push_back(folder / entry.path().filename());
  std::ranges::sort(files);
  std::string html = fmt::format("<h1 class=\"path\">{}</h1>\n<ul>\n", escape(folder.string()));
  for (const Path& file : files) {
    links_.resolve(file.filename().string(), folder / "list");  // so that it will be there
    const auto page = std::ranges::find(pages_, file, &Rendered::path);
    html += fmt::format("<li>{}</li>\n",
                        anchor(file, folder, page == pages_.end() ? file.filename().string() : page->page.title));
  }
  write_frame(folder, folder.string(), html + "</ul>\n", "");
}

SiteReport Site::write() {
  for (Rendered& rendered : pages_) rendered.page = render(rendered.path);
  links_.check_anchors();
  std::vector<IndexedPage> index;
  for (size_t i = 0; i < pages_.size(); ++i) {
    write_frame(pages_[i].path, pages_[i].page.title, pages_[i].page.html, turn(i));
    index.push_back({links_.output(pages_[i].path).string(), &pages_[i].page});
  }
  save("index.js", search_index(index));
  for (const char* name : {"book.css", "book.js"}) save(name, read_file(root_ / "data/book" / name));

  SiteReport report{pages_.size(), 0, 0, {}};
  links_.resolve("decisions", "docs/README.md");
  std::set<Path> written;
  for (std::set<Path> wanted; !(wanted = links_.take_wanted()).empty();)
    for (const Path& path : wanted) {
      if (!written.insert(path).second) continue;
      if (fs::is_directory(root_ / path))
        write_list(path);
      else
        write_source(path);
      ++report.sources;
    }
  for (const Path& image : links_.images()) save(image, read_file(root_ / image));
  report.images = links_.images().size();
  report.problems = links_.problems();
  return report;
}

}  // namespace

SiteReport write_site(const Path& root, const std::vector<Path>& pages, const Path& out) {
  return Site(root, pages, out).write();
}

}  // namespace cria::book
