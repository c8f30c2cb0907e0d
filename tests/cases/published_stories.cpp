// End to end on weights that nobody here trained: stories260K (Karpathy, llama2.c) tells the two stories that its
// author published, byte for byte.
#include <cstring>

#include "chapters/09-sampling/decoder.hpp"
#include "chapters/09-sampling/sampling.hpp"
#include "chapters/11-pretraining/model_folder.hpp"
#include "lib/base/file.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

/// The pieces of llama2.c's tokenizer file: an int32 for the longest piece, then score, length and bytes of each token.
std::vector<std::string> read_pieces(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  std::vector<std::string> pieces;
  for (size_t at = 4; at + 8 <= bytes.size();) {
    std::int32_t length;
    std::memcpy(&length, bytes.data() + at + 4, 4);
    pieces.push_back(bytes.substr(at + 8, size_t(length)));
    at += 8 + size_t(length);
  }
  return pieces;
}

/// llama2.c ends at the token 1, which begins a text, or after 256 tokens; the blank after the first token is dropped.
std::string tell(const LlamaParameters& weights, const std::vector<std::string>& pieces,
                 const SamplingOptions& options) {
  Decoder decoder(weights, 256);
  Sampler sampler(options, weights.config().vocabulary_size);
  std::string text;
  std::int32_t token = 1;
  for (int position = 0; position < 256; ++position) {
    const std::int32_t previous = token;
    const std::span<const real> logits = decoder.feed({&previous, 1});
    token = sampler.sample(View<const real, 1>(logits.data(), {logits.size()}));
    if (token == 1) break;
    const std::string& piece = pieces[size_t(token)];
    unsigned int byte = 0;
    if (std::sscanf(piece.c_str(), "<0x%02X>", &byte) == 1)
      text += char(byte);
    else
      text += previous == 1 && piece.starts_with(' ') ? piece.substr(1) : piece;
  }
  return text;
}

}  // namespace

void check_published_stories(const Case& llama2c) {
  const std::filesystem::path folder = llama2c.folder;
  const LlamaParameters weights(read_config(folder / "hf" / "config.json").llama);
  read_weights(folder / "hf" / "model.safetensors", weights);
  const std::vector<std::string> pieces = read_pieces(folder / "tok512.bin");
  const auto published = [&](const char* name) {
    std::string text = read_file(folder / "expected" / name);
    if (text.ends_with('\n')) text.pop_back();  // printed after the story
    return text;
  };
  CHECK(tell(weights, pieces, {.temperature = 0}) == published("greedy.txt"));
  CHECK(tell(weights, pieces, {.temperature = 1, .top_p = 0.9, .seed = 133742, .raw_seed = true}) ==
        published("sampled_t1_p0.9_seed133742.txt"));
}

}  // namespace cria::testing
