// The recipe of a training run: everything that decides its result, except data and seed. Read from YAML.
#pragma once

#include <filesystem>
#include <string>

#include "chapters/08-llama/config.hpp"
#include "chapters/10-training-step/trainer.hpp"

namespace cria {

struct Recipe {
  LlamaConfig model;         // vocabulary_size is the tokenizer's, here the one below; context the windows' length
  size_t vocabulary = 2048;  // tokens that `--tokenizer bpe` learns, special ones included
  std::string pattern = "llama3";
  TrainerOptions training;
  double learning_rate = 3e-3;
  double final_learning_rate = 0.05;        // at the end, as a share of the highest
  double warmup = 0.02;                     // share of the run
  std::string separator = "<|endoftext|>";  // between a file's documents
  double validation = 0.1;                  // share of a file that is held out, its end
  size_t validation_tokens = 32768;         // at most
  size_t evaluations = 10;                  // in the course of a run; a checkpoint is written at each

  Recipe();
};

/// Reads the keys that the file names over the defaults. docs/recipes.md lists them all. Throws UserError with file and
/// line for an unknown key (naming the nearest known one), a value that is no number, or one that makes no sense.
Recipe read_recipe(const std::filesystem::path& path);

/// The same from a text; `name` is what errors call it.
Recipe parse_recipe(const std::string& text, const std::string& name);

/// The recipe as YAML, every key with its value; parse_recipe reads the same recipe back.
std::string recipe_text(const Recipe& recipe);

/// A Markdown table with a line for each key: name, default and meaning. docs/recipes.md holds it, and a test compares.
std::string recipe_documentation();

}  // namespace cria
