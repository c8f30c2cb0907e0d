#include "chapters/12-open-weights/open_model.hpp"

#include <fmt/format.h>

#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/llama2c_model.hpp"
#include "chapters/12-open-weights/meta_folder.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "chapters/12-open-weights/quantised_weights.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_open(const fs::path& path) {
  if (!fs::exists(path))
    throw UserError(fmt::format("{} holds no model: there is no such file or folder", path.string()));
  throw UserError(
      fmt::format("{} is no model: expected a folder of Hugging Face's or Meta's, a GGUF file, or a model of llama2.c",
                  path.string()));
}

bool is_hugging_face_folder(const fs::path& path) {
  return fs::is_directory(path) && !fs::exists(path / "params.json");
}

Model open_any(const fs::path& path, const fs::path& tokenizer) {
  if (is_hugging_face_folder(path)) return load_folder(path);
  if (fs::is_directory(path)) return load_meta_folder(path);
  if (fs::exists(path) && is_gguf(path)) return load_gguf(path);
  if (fs::exists(path) && is_llama2c(path)) return load_llama2c(path, tokenizer);
  fail_to_open(path);
}

}  // namespace

ModelConfig open_config(const fs::path& path) {
  if (is_hugging_face_folder(path)) return read_folder_config(path).model;
  if (fs::is_directory(path)) return {meta_config(path), {}, {}};
  if (fs::exists(path) && is_gguf(path)) return gguf_config(GgufFile(path));
  if (fs::exists(path) && is_llama2c(path)) return {llama2c_config(path), {}, {}};
  fail_to_open(path);
}

std::optional<Quantisation> open_quantisation(const fs::path& path) {
  return is_hugging_face_folder(path) ? read_folder_config(path).quantisation : std::nullopt;
}

void replace_tokenizer(const fs::path& path, const fs::path& chosen, ModelConfig& config,
                       std::unique_ptr<Tokenizer>& tokenizer) {
  if (!chosen.empty()) {
    tokenizer = std::make_unique<Tokenizer>(open_tokenizer(chosen));
    set_ends(*tokenizer, config);
  }
  if (tokenizer && tokenizer->vocabulary_size() > config.llama.vocabulary_size)
    throw UserError(fmt::format("{}: the tokenizer has {} tokens and the model {}; they do not belong together",
                                path.string(), tokenizer->vocabulary_size(), config.llama.vocabulary_size));
}

Model open_model(const fs::path& path, const fs::path& tokenizer) {
  Model model = open_any(path, tokenizer);
  replace_tokenizer(path, tokenizer, model.config, model.tokenizer);
  return model;
}

}  // namespace cria
