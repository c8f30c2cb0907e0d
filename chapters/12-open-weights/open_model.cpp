#include "chapters/12-open-weights/open_model.hpp"

#include <fmt/format.h>

#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/llama2c_model.hpp"
#include "chapters/12-open-weights/meta_folder.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
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

Model open_any(const fs::path& path, const fs::path& tokenizer) {
  if (fs::is_directory(path)) return fs::exists(path / "params.json") ? load_meta_folder(path) : load_model(path);
  if (fs::exists(path) && is_gguf(path)) return load_gguf(path);
  if (fs::exists(path) && is_llama2c(path)) return load_llama2c(path, tokenizer);
  fail_to_open(path);
}

}  // namespace

ModelConfig open_config(const fs::path& path) {
  if (fs::is_directory(path) && fs::exists(path / "params.json")) return {meta_config(path), {}, {}};
  if (fs::is_directory(path)) return read_config(path / "config.json");
  if (fs::exists(path) && is_gguf(path)) return gguf_config(GgufFile(path));
  if (fs::exists(path) && is_llama2c(path)) return {llama2c_config(path), {}, {}};
  fail_to_open(path);
}

Model open_model(const fs::path& path, const fs::path& tokenizer) {
  Model model = open_any(path, tokenizer);
  if (!tokenizer.empty()) {
    model.tokenizer = std::make_unique<Tokenizer>(open_tokenizer(tokenizer));
    set_ends(*model.tokenizer, model.config);
  }
  if (model.tokenizer && model.tokenizer->vocabulary_size() > model.config.llama.vocabulary_size)
    throw UserError(fmt::format("{}: the tokenizer has {} tokens and the model {}; they do not belong together",
                                path.string(), model.tokenizer->vocabulary_size(), model.config.llama.vocabulary_size));
  return model;
}

}  // namespace cria
