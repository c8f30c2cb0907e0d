#include "app/look/page_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/look/encoded.hpp"
#include "app/look/inside_data.hpp"
#include "app/look/next_data.hpp"
#include "app/look/story_data.hpp"
#include "app/look/token_data.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

constexpr size_t most_seen = 128;                 // a square of so many that a reader can still see
constexpr size_t most_numbers = size_t{1} << 23;  // of all tensors together: 45 MB in base64

}  // namespace

size_t most_tokens(const LlamaConfig& config) {
  return std::max<size_t>(std::min({most_seen, config.context, most_numbers / numbers_per_token(config)}), 1);
}

void check_length(const LlamaConfig& config, size_t tokens) {
  if (tokens > most_tokens(config))
    throw UserError(
        fmt::format("the text has {} tokens, expected at most {}: the page holds {} numbers of this model "
                    "for each",
                    tokens, most_tokens(config), numbers_per_token(config)));
}

std::string story_beginning() {
  Random random(1);
  const std::string story = generate(Grammar::load(data_folder() / "stories" / "stories.grammar"), random).text;
  const size_t first = story.find(". "), second = story.find(". ", first + 1);
  return story.substr(0, second == story.npos ? story.npos : second + 1);
}

json page_data(const ModelView& model, const MergeSteps& merges, const std::string& name, std::string_view text,
               const std::vector<TokenId>& tokens, double operations, const Ask& ask) {
  check_length(model.config.llama, tokens.size());
  const Passage passage(model.weights, tokens, ask);
  std::set<TokenId> shown(tokens.begin(), tokens.end());
  json data = {{"model", name},
               {"text", hexadecimal(text)},
               {"tokenizers", json::array({token_data(*model.tokenizer, merges, name, tokens)})},
               {"inside", inside_data(passage)},
               {"next", next_of_all(passage, shown)},
               {"lens", lens_data(passage, shown)},
               {"headsOff", heads_off(passage, operations, shown)},
               {"story", story_data(passage, *model.tokenizer, model.config, shown)}};
  data["pieces"] = pieces_of(*model.tokenizer, shown);
  data["begin"] = model.config.begin_of_text ? json(*model.config.begin_of_text) : json(nullptr);
  data["ends"] = model.config.end_of_text;
  return data;
}

}  // namespace cria::look
