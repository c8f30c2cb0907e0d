// A small model's folder that a test may damage.
#pragma once

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/refusal.hpp"

namespace cria::testing {

inline LlamaConfig saved_config(bool tied = true) {
  LlamaConfig c;
  c.vocabulary_size = 258, c.dim = 6, c.hidden_dim = 5, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_dim = 4,
  c.context = 9;
  c.norm_eps = 1.0 / 3, c.rope_theta = 123.456, c.tied_embeddings = tied;
  return c;
}

struct SavedModel {
  using Json = nlohmann::json;

  TemporaryFolder folder;
  LlamaParameters weights;

  explicit SavedModel(bool tied = true) : weights(saved_config(tied)) {
    Random random(1);
    // Numbers that a float holds, in both builds: a model's file is of floats.
    for (real& value : weights.flat()) value = real(float(random.normal()));
    save_model(folder.path(), {saved_config(tied), 256, {257}}, weights, Tokenizer(bytes_model()));
  }

  /// Changes config.json; a discarded value removes the key.
  void edit(const std::string& key, const Json& value) const {
    Json json = Json::parse(read_file(folder / "config.json"));
    value.is_discarded() ? void(json.erase(key)) : void(json[key] = value);
    write_file_atomically(folder / "config.json", json.dump());
  }
  ModelConfig config() const { return read_config(folder / "config.json"); }

  /// What load_model says; "" where it has nothing against the folder.
  std::string error() const {
    return refusal_of(folder, [](const auto& path) { load_model(path); });
  }
};

inline const nlohmann::json absent = nlohmann::json(nlohmann::json::value_t::discarded);

}  // namespace cria::testing
