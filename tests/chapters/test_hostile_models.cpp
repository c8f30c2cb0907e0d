// Models of others with a number in them that is out of its range.
#include <cmath>
#include <limits>

#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/llama2c_model.hpp"
#include "chapters/12-open-weights/meta_folder.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/gguf_write.hpp"
#include "tests/lib/torch_draft.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

template <class Number>
std::string bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

/// A GGUF file with these keys, and an embedding of 2 tokens.
GgufFile gguf_with(const std::filesystem::path& path, const GgufMetadata& metadata) {
  const std::vector<real> embedding(8);
  write_gguf(path, metadata, std::vector<TensorToWrite>{{"token_embd.weight", {2, 4}, embedding, ElementType::f32}});
  return GgufFile(path);
}

}  // namespace

TEST_CASE("sizes of llama2.c that no model has are refused") {
  const TemporaryFolder folder;
  constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min(), most = -(least + 1);
  for (const std::vector<std::int32_t>& header : std::vector<std::vector<std::int32_t>>{
           {8, 16, 1, 2, 1, least, 16}, {most, most, most, 1, 1, most, most}, {8, 16, 1, 2, 1, 0, 16}}) {
    write_file_atomically(folder / "model.bin", bytes_of(header) + std::string(300, '\0'));
    CHECK_THROWS_AS(load_llama2c(folder / "model.bin"), UserError);
  }
}

TEST_CASE("numbers of GGUF's keys that are out of range are refused by the key's name") {
  const TemporaryFolder folder;
  for (const float number : {1e30f, NAN, -1.f, 1.5f}) {
    GgufMetadata metadata;
    metadata.add("general.architecture", "llama");
    metadata.add("llama.embedding_length", std::span<const float>(std::vector<float>{number}));
    CHECK_THROWS_WITH(gguf_config(gguf_with(folder / "a.gguf", metadata)),
                      contains("llama.embedding_length is no whole number"));
  }
  for (const float number : {1e30f, NAN, 0.f, 7.f}) {
    GgufMetadata metadata;
    metadata.add("tokenizer.ggml.model", "llama");
    metadata.add("tokenizer.ggml.tokens", std::span<const std::string>(std::vector<std::string>{"a", "b"}));
    metadata.add("tokenizer.ggml.token_type", std::span<const float>(std::vector<float>{1, number}));
    CHECK_THROWS_WITH(gguf_tokenizer(gguf_with(folder / "a.gguf", metadata)), contains("token_type has"));
  }
}

TEST_CASE("a width that no model has is refused before it is multiplied") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "consolidated.00.pth", torch::TorchDraft{.name = "tok_embeddings.weight"}.bytes());
  write_file_atomically(folder / "params.json", R"({"dim": 4611686018427387904, "n_layers": 1, "n_heads": 1})");
  CHECK_THROWS_WITH(load_meta_folder(folder.path()), contains("params.json: dim is 4611686018427387904"));
}
