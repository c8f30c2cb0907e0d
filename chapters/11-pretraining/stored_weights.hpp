// The weights in a model's folder: model.safetensors, or the several files that model.safetensors.index.json lists, as
// models of more than a few GB come.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "chapters/08-llama/parameters.hpp"
#include "lib/formats/safetensors.hpp"

namespace cria {

/// In which type each parameter stands in a file, by its name.
using StoredTypes = std::map<std::string, ElementType, std::less<>>;

class StoredWeights {
 public:
  /// A model's folder, or one file. Throws UserError naming the file when one is missing or damaged, when the index
  /// does not fit its files, or names one outside the folder.
  explicit StoredWeights(const std::filesystem::path& folder_or_file);

  /// Throws UserError unless every parameter of such a model is there in its shape, and nothing else that a layer would
  /// compute with. Allocates nothing: a config that is wrong may ask for more memory than there is.
  void require_fit(const LlamaConfig& config) const;
  void copy_to(const LlamaParameters& weights) const;
  StoredTypes types(const LlamaConfig& config) const;

 private:
  const StoredTensor* find(std::string_view name) const;
  const SafetensorsFile& file_of(std::string_view name) const;
  std::string stored_name(const LlamaConfig& config, const std::string& name) const;
  [[noreturn]] void fail(const std::string& message) const;

  std::filesystem::path path_;  // the file, or the index
  std::vector<SafetensorsFile> files_;
};

}  // namespace cria
