// tiktoken's rank files, as Llama 3's tokenizer.model is one.
//
// Such a file ranks tokens and names no merges: any two neighbours merge if together they are a token, and the lowest
// rank goes first. So every way to cut a token into two tokens is a merge, and all that make one token share its rank.
#include <algorithm>
#include <array>
#include <sstream>

#include "chapters/01-bpe/cuts.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/with_name.hpp"

namespace cria {
namespace {

constexpr std::size_t longest_file = std::size_t{16} << 20;  // Llama 3's has 2 MB

/// False where the text is not base64.
bool decode_base64(std::string_view text, std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes.clear();
  if (text.empty() || text.size() % 4 != 0) return false;
  while (text.ends_with('=')) text.remove_suffix(1);
  std::uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    const std::size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((count += 6) >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 0xFF);
  }
  return !bytes.empty();
}

void add_merges(BpeModel& model) {
  for (std::size_t id = 0; id < model.vocabulary.size(); ++id) {
    const std::string_view token = model.vocabulary[id];
    const std::size_t begin = model.merges.size();
    for (std::size_t cut = 1; cut < token.size(); ++cut) {
      const std::size_t left = model.vocabulary.find(token.substr(0, cut));
      const std::size_t right = left == ByteStrings::npos ? left : model.vocabulary.find(token.substr(cut));
      if (right != ByteStrings::npos)
        model.merges.push_back({static_cast<TokenId>(left), static_cast<TokenId>(right), static_cast<TokenId>(id)});
    }
    // In the order in which Hugging Face's converter writes them.
    std::sort(model.merges.begin() + static_cast<std::ptrdiff_t>(begin), model.merges.end(),
              [](const Merge& a, const Merge& b) { return a.left < b.left; });
    require_few_cuts(model.merges.size());
  }
}

}  // namespace

BpeModel load_tiktoken(const std::filesystem::path& file, const std::vector<std::string>& special_tokens) {
  BpeModel model;
  model.pattern = SplitPattern::llama3;
  model.ranks_tokens = model.ignore_merges = true;
  const std::string text = read_file(file, longest_file);
  std::istringstream lines(text);
  std::string line, token;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const std::size_t space = line.find(' '), id = model.vocabulary.size();
    if (space == std::string::npos || !decode_base64(std::string_view(line).substr(0, space), token) ||
        line.substr(space + 1) != std::to_string(id) || token.size() > longest_cut_token ||
        model.vocabulary.insert(token) != id)
      throw UserError(shown_path(file) + ", line " + std::to_string(number) + ": expected a new token of at most " +
                      std::to_string(longest_cut_token) + " bytes in base64 and rank " + std::to_string(id));
  }
  add_merges(model);
  add_special_tokens(model, special_tokens);
  return model;
}

std::vector<std::string> llama3_special_tokens() {
  const auto reserved = [](int number) { return "<|reserved_special_token_" + std::to_string(number) + "|>"; };
  std::vector<std::string> tokens = {begin_of_text,
                                     end_of_text,
                                     reserved(0),
                                     reserved(1),
                                     "<|finetune_right_pad_id|>",
                                     "<|step_id|>",
                                     "<|start_header_id|>",
                                     "<|end_header_id|>",
                                     "<|eom_id|>",
                                     "<|eot_id|>",
                                     "<|python_tag|>",
                                     "<|image|>"};
  for (int number = 2; tokens.size() < 256; ++number) tokens.push_back(reserved(number));
  return tokens;
}

namespace {

BpeModel load_model_of_any_kind(const std::filesystem::path& path) {
  if (is_directory(path) && !exists(path / "tokenizer.json") && exists(path / "tokenizer.model"))
    return load_model_of_any_kind(path / "tokenizer.model");
  if (is_directory(path) || path.extension() == ".json") return load_tokenizer_json(path);
  if (path.extension() == ".bin") return sentencepiece_model(read_llama2c_tokenizer(path));
  if (is_sentencepiece(MappedFile(path).text())) return sentencepiece_model(read_sentencepiece(path));
  return load_tiktoken(path, llama3_special_tokens());
}

}  // namespace

Tokenizer load_tokenizer(const std::filesystem::path& path) {
  return with_name(path, [&] { return Tokenizer(load_model_of_any_kind(path)); });
}

}  // namespace cria
