// cria book
#pragma once

#include <string>

namespace cria {

struct BookOptions {
  std::string out;  // folder for the site; default build/book in the source tree
  bool check = false, refresh = false;
};

/// Writes the lessons as a site; 1 when a link in them goes nowhere. With `check` it only compares the code in the
/// lessons with the source, 1 when some differs; with `refresh` it only rewrites that code.
int run_book(const BookOptions& options);

}  // namespace cria
