// A reference case: a folder of files that others made. What is tested in it depends on what files it has (kinds.cpp).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cria::testing {

struct Case {
  std::filesystem::path folder;
  std::string name;                // below the folder of all cases: "forward/gqa_8_2"
  std::vector<std::string> files;  // their names, sorted

  bool has(const std::string& file) const;
  bool has_ending(const std::string& ending) const;
  std::filesystem::path operator/(const std::string& file) const { return folder / file; }
  nlohmann::json json(const std::string& file) const;
};

/// What can be tested in a folder. One folder may be of several kinds.
struct CaseKind {
  std::string name;
  bool (*found)(const Case&);
  void (*check)(const Case&);  // null: not supported yet
};

// The checks, each in a file of its own.
void check_model(const Case& model);   // in every form it is given in: logits, loss, gradients, greedy tokens
void check_training(const Case& run);  // AdamW steps from initial to final weights
void check_published_stories(const Case& llama2c);  // the stories that llama2.c tells

bool is_tokenizer(const Case& c);
void check_tokenizer(const Case& c);  // ids of texts
bool has_learned_merges(const Case& c);
void check_learned_merges(const Case& c);  // of byte pair encoding, in order

}  // namespace cria::testing
