// cria look: a page to look inside a model with, as files.
#include "app/look/look.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/look/address.hpp"
#include "app/look/book_files.hpp"
#include "app/look/checkpoint_data.hpp"
#include "app/look/page_data.hpp"
#include "app/look/page_files.hpp"
#include "app/look/token_data.hpp"
#include "app/look/training_data.hpp"
#include "app/run/sample.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace look {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr double most_operations = 1e12;  // to switch all heads off: half a minute

/// Where the lessons are, seen from the page: those of the book, if it was written, else as the sources have them.
json lessons_from(const fs::path& out, const std::string& chosen) {
  if (!chosen.empty()) return {{"folder", chosen + (chosen.ends_with('/') ? "" : "/")}, {"file", ""}};
  const auto seen = [&](const fs::path& folder) { return address_of(fs::proximate(folder, fs::absolute(out))) + "/"; };
  if (const fs::path book = book_folder(); !book.empty())
    return {{"folder", seen(book / "chapters")}, {"file", "index.html"}};
  const fs::path sources = data_folder().parent_path() / "chapters";
  if (fs::exists(sources)) return {{"folder", seen(sources)}, {"file", "README.md"}};
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

}  // namespace
}  // namespace look

int run_look(const LookOptions& options) {
  using namespace look;
  const fs::path folder = model_folder(options.model);
  const Model model = open_model(folder);
  const std::string name = options.model.empty() ? "the small model that comes with cria" : last_name(folder);
  const bool given = options.prompt || !options.prompt_file.empty();
  const std::string text = given ? read_prompt(options.prompt, options.prompt_file) : story_beginning();
  const std::vector<TokenId> tokens = prompt_tokens(model, text);
  json data = page_data(model, MergeSteps(model.tokenizer->model()), name, text, tokens, most_operations);
  if (!options.second_tokenizer.empty()) {
    const Tokenizer second = open_tokenizer(options.second_tokenizer);
    data["tokenizers"].push_back(
        token_data(second, MergeSteps(second.model()), last_name(options.second_tokenizer), second.encode(text)));
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
