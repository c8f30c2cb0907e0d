// cria look: a page to look inside a model with, as files.
#include "app/look/look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/look/address.hpp"
#include "app/look/checkpoint_data.hpp"
#include "app/look/encoded.hpp"
#include "app/look/inside_data.hpp"
#include "app/look/next_data.hpp"
#include "app/look/page_files.hpp"
#include "app/look/passage.hpp"
#include "app/look/story_data.hpp"
#include "app/look/token_data.hpp"
#include "app/look/training_data.hpp"
#include "app/sample.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/generate.hpp"

namespace cria {
namespace look {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr size_t most_tokens = 128;               // a square of so many that a reader can still see
constexpr size_t most_numbers = size_t{1} << 23;  // of all tensors together: 45 MB in base64

void check_length(const LlamaConfig& config, size_t tokens) {
  const size_t each = numbers_per_token(config);
  const size_t most = std::max<size_t>(std::min({most_tokens, config.context, most_numbers / each}), 1);
  if (tokens > most)
    throw UserError(
        fmt::format("the text has {} tokens, expected at most {}: the page holds {} numbers of this model "
                    "for each",
                    tokens, most, each));
}

/// The first two sentences of a built-in story.
std::string story_beginning() {
  Random random(1);
  const std::string story = generate(Grammar::load(data_folder() / "stories" / "stories.grammar"), random).text;
  const size_t first = story.find(". "), second = story.find(". ", first + 1);
  return story.substr(0, second == story.npos ? story.npos : second + 1);
}

/// Where the lessons are, seen from the page: those of the book, if it was written, else as the sources have them.
json lessons_from(const fs::path& out, const std::string& chosen) {
  if (!chosen.empty()) return {{"folder", chosen + (chosen.ends_with('/') ? "" : "/")}, {"file", ""}};
  const fs::path root = data_folder().parent_path();
  const auto seen = [&](const fs::path& folder) { return address_of(fs::proximate(folder, fs::absolute(out))) + "/"; };
  if (fs::exists(root / "build/book/chapters"))
    return {{"folder", seen(root / "build/book/chapters")}, {"file", "index.html"}};
  if (fs::exists(root / "chapters")) return {{"folder", seen(root / "chapters")}, {"file", "README.md"}};
  return nullptr;
}

/// As a script, in ASCII: no text in it can end the script, or be taken for markup.
std::string script_of(const json& data) {
  const std::string text = data.dump(-1, ' ', true, json::error_handler_t::replace);
  std::string script = "var lookData = ";
  script.reserve(text.size() + 64);
  for (const char c : text)
    if (c == '<')
      script += "\\u003c";
    else
      script += c;
  return script + ";\n";
}

/// Of a text, all that the page shows of the model. Throws UserError for a text with more tokens than a page can hold,
/// in one line that says how many.
json page_data(const ModelView& model, const std::string& name, const std::string& text) {
  const std::vector<TokenId> tokens = prompt_tokens(model, text);
  check_length(model.config.llama, tokens.size());
  const Passage passage(model.weights, tokens);
  std::set<TokenId> shown(tokens.begin(), tokens.end());
  json data = {{"model", name},
               {"text", hexadecimal(text)},
               {"tokenizers", json::array({token_data(*model.tokenizer, name, tokens)})},
               {"inside", inside_data(passage)},
               {"next", next_of_all(passage, shown)},
               {"lens", lens_data(passage, shown)},
               {"headsOff", heads_off(passage, shown)},
               {"story", story_data(passage, *model.tokenizer, model.config, shown)}};
  data["pieces"] = pieces_of(*model.tokenizer, shown);
  data["begin"] = model.config.begin_of_text ? json(*model.config.begin_of_text) : json(nullptr);
  data["ends"] = model.config.end_of_text;
  return data;
}

}  // namespace
}  // namespace look

int run_look(const LookOptions& options) {
  using namespace look;
  const fs::path folder = model_folder(options.model);
  const Model model = open_model(folder);
  const std::string name = options.model.empty() ? "the small model that comes with cria" : last_name(folder);
  const bool given = options.prompt || !options.prompt_file.empty();
  const std::string text = given ? read_prompt(options.prompt, options.prompt_file) : story_beginning();
  json data = page_data(model, name, text);
  if (!options.second_tokenizer.empty()) {
    const Tokenizer second = open_tokenizer(options.second_tokenizer);
    data["tokenizers"].push_back(token_data(second, last_name(options.second_tokenizer), second.encode(text)));
  }
  data["training"] = options.run.empty() ? json(nullptr) : training_data(options.run);
  data["checkpoints"] = options.run.empty() ? json(nullptr) : checkpoint_data(options.run, model, text, data["pieces"]);
  data["lessons"] = lessons_from(options.out, options.lessons);

  const fs::path out = options.out;
  fs::create_directories(out);
  for (const PageFile& file : page_files()) write_file_atomically(out / file.name, file.text);
  const std::string script = script_of(data);
  write_file_atomically(out / "data.js", script);
  fmt::print("{} ({} tokens, {:.1f} MB)\n", (out / "index.html").string(), data["tokenizers"][0]["tokens"].size(),
             double(script.size()) / 1e6);
  return 0;
}

}  // namespace cria
