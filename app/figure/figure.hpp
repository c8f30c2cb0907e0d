// cria figure: the lessons' pictures, drawn from a model's own tensors as SVG.
#pragma once

#include <string>
#include <vector>

namespace cria {

struct FigureOptions {
  std::string name = "all";
  std::string model;  // a folder; empty: the small one that comes with cria
  std::string text;   // empty: the beginning of a built-in story
  std::string folder = "runs/figures";
  std::vector<std::string> logs;  // of training runs; none: log.jsonl in the model's folder
  bool list = false;
};

int run_figure(const FigureOptions& options);

}  // namespace cria
