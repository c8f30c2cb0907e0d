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
  virtual ~StoredWeights() = default;

  /// Throws UserError unless every parameter of such a model is there in its shape, and nothing else that a layer would
  /// compute with. Allocates nothing: a config that is wrong may ask for more memory than there is.
  void require_fit(const LlamaConfig& config) const;
  void copy_to(const LlamaParameters& weights) const;
  /// The tensor that a parameter stands as, in files that fit, where it is one; its values; and its pages given back.
  const StoredTensor& tensor(const LlamaConfig& config, const std::string& name) const;
  /// One by its own name; null where the files have none.
  const StoredTensor* find(std::string_view name) const;
  void copy_to(const StoredTensor& tensor, std::span<const size_t> shape, std::span<real> values) const;
  void release(const StoredTensor& tensor) const { file_of(tensor.name).release(tensor); }
  /// Of those that stand there under their own name.
  StoredTypes types(const LlamaConfig& config) const;
  /// Of all that stands for the parameters, in files that fit.
  size_t bytes(const LlamaConfig& config) const;

 protected:
  // How a parameter stands in the files: here as a tensor of its own name.
  /// The names of the tensors that it stands as. Throws UserError when one is missing, or of another shape or type.
  virtual std::vector<std::string> parts(const std::string& name, std::span<const size_t> shape) const;
  virtual void read(const std::string& name, std::span<const size_t> shape, std::span<real> values) const;

  /// Throws UserError when there is no such tensor, or when config.json asks for another shape.
  const StoredTensor& find(const std::string& name, std::span<const size_t> shape) const;
  const SafetensorsFile& file_of(std::string_view name) const;
  [[noreturn]] void fail(const std::string& message) const;

 private:
  /// Calls visit(name in the files, shape) for each parameter.
  template <class Visit>
  void for_each_stored(const LlamaConfig& config, Visit&& visit) const;
  std::string stored_name(const LlamaConfig& config, const std::string& name) const;

  std::filesystem::path path_;  // the file, or the index
  std::vector<SafetensorsFile> files_;
};

}  // namespace cria
