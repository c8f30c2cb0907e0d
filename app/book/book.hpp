// cria book
#pragma once

#include <string>

namespace cria {

struct BookOptions {
  bool check = false, refresh = false;
};

/// Holds the excerpts in the lessons against their sources (`check`: 1 when one differs; `refresh`: rewrites them).
int run_book(const BookOptions& options);

}  // namespace cria
