#include "chapters/12-open-weights/open_tokenizer.hpp"

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "lib/base/check.hpp"

namespace cria {

Tokenizer open_tokenizer(const std::filesystem::path& path) {
  if (!is_gguf(path)) return load_tokenizer(path);
  auto tokenizer = gguf_tokenizer(GgufFile(path));
  if (!tokenizer) throw UserError(path.string() + ": has no tokenizer");
  return std::move(*tokenizer);
}

void set_ends(const Tokenizer& tokenizer, ModelConfig& config) {
  for (const char* begin : {"<|begin_of_text|>", "<s>"})
    if (!config.begin_of_text) config.begin_of_text = tokenizer.special_id(begin);
  if (!config.end_of_text.empty()) return;
  for (const char* end : {"<|end_of_text|>", "<|eom_id|>", "<|eot_id|>", "</s>"})
    if (const auto id = tokenizer.special_id(end)) config.end_of_text.push_back(*id);
}

}  // namespace cria
