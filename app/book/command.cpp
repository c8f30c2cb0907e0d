// The options of cria book.
#include "app/book/book.hpp"
#include "app/commands.hpp"

namespace cria {

void add_tools(CLI::App& app, int& code) {
  auto [c, o] = command<BookOptions>(app, "book", "Write the lessons as a site to read in a browser", run_book, code);
  c->add_option("--out", o->out, "Folder for the site; default build/book");
  c->add_flag("--check", o->check, "Only say which code in the lessons differs from the source");
  c->add_flag("--refresh", o->refresh, "Only rewrite that code from the source");
}

}  // namespace cria
