// cria demo
#pragma once

#include <cstddef>
#include <string>

namespace cria {

struct DemoOptions {
  double minutes = 1;
  std::size_t threads = 0;
};

/// Tells a story with the model that comes with cria, trains a fresh one on the built-in stories for a minute, lets
/// that one tell stories, and judges them. The model goes to runs/demo, or runs/demo-2 and so on where that is taken.
int run_demo(const DemoOptions& options);

}  // namespace cria
