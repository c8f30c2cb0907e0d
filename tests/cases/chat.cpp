// Chats of others: the texts and token ids that published formats give, Code Llama's infilling, and SmolLM2, whose
// weights are not among the cases: CRIA_SMOLLM2 names the file.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/10-training-step/trainer.hpp"
#include "chapters/12-open-weights/chat_format.hpp"
#include "chapters/12-open-weights/infilling.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/cpus.hpp"
#include "lib/base/file.hpp"
#include "lib/simd/primitives.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Ids = std::vector<TokenId>;

std::vector<Message> messages_of(const Json& chat) {
  std::vector<Message> messages;
  for (const Json& message : chat.at("messages")) messages.push_back({message.at("role"), message.at("content")});
  return messages;
}

/// Llama 2's tokens and after them, where Code Llama has them, those that it was trained further with.
Tokenizer code_llama_tokenizer(const fs::path& all) {
  SentencePieces pieces = read_sentencepiece(all / "tokenizers/llama2/tokenizer.model");
  const std::vector<std::pair<size_t, const char*>> marks{
      {32007, "▁<PRE>"}, {32008, "▁<SUF>"}, {32009, "▁<MID>"}, {32010, "▁<EOT>"}, {32015, "<step>"}};
  for (const auto& [id, text] : marks) {
    while (pieces.pieces.size() < id)
      pieces.pieces.push_back({fmt::format("<unused {}>", pieces.pieces.size()), 0, SentencePieces::Kind::unused});
    pieces.pieces.push_back({text, 0, SentencePieces::Kind::normal});
  }
  return Tokenizer(sentencepiece_model(pieces));
}

/// The file's format by its name: llama31_chat.json is of Llama 3.1.
std::string format_of(const std::string& file) {
  const std::string name = file.substr(0, file.find('_'));
  if (name == "llama31") return "llama3.1";
  return name == "codellama70b" ? "codellama-70b" : name;
}

bool holds_chats(const Case& c, const std::string& file) {
  if (!file.ends_with(".json")) return false;
  const Json json = c.json(file);
  return json.is_array() && !json.empty() && json[0].is_object() && json[0].contains("messages") &&
         json[0].contains("ids");
}

bool holds_infilling(const Case& c, const std::string& file) {
  if (!file.ends_with(".json")) return false;
  const Json json = c.json(file);
  return json.is_object() && json.contains("cases") && json["cases"].is_array() && json["cases"][0].contains("ids_psm");
}

void check_chat(const Json& chat, const ChatTemplate& chat_template, const Tokenizer& tokenizer) {
  CAPTURE(chat.at("name").get<std::string>());
  const std::vector<Message> messages = messages_of(chat);
  ChatTemplate::Options options;
  if (chat.contains("date")) options.date = chat["date"];
  if (chat.value("verdict", "ok") == "refused") {
    CHECK_THROWS_AS(chat_template.encode(messages, options, tokenizer), UserError);
    return;
  }
  CHECK(chat_template.render(messages, options) == chat.at("rendered").get<std::string>());
  CHECK(chat_template.encode(messages, options, tokenizer) == chat.at("ids").get<Ids>());
  if (const char* parsed = "ids_if_rendered_text_is_parsed_with_special_tokens"; chat.contains(parsed))
    CHECK(tokenizer.encode(chat["rendered"].get<std::string>(), SpecialText::parse) == chat[parsed].get<Ids>());
  if (!chat.contains("rendered_without_generation_prompt")) return;
  options.asks = false;
  CHECK(chat_template.render(messages, options) == chat["rendered_without_generation_prompt"].get<std::string>());
  CHECK(chat_template.encode(messages, options, tokenizer) == chat.at("ids_without_generation_prompt").get<Ids>());
}

void check_smollm2_chats(const Json& chats, const ChatTemplate& chat_template, const Tokenizer& tokenizer) {
  for (const Json& chat : chats)
    for (const bool asks : {true, false}) {
      CAPTURE(chat.at("name").get<std::string>(), asks);
      const std::string kind = asks ? "with_generation_prompt" : "without_generation_prompt";
      const std::string ids =
          chat.contains("ids_" + kind + "_contents_plain") ? "ids_" + kind + "_contents_plain" : "ids_" + kind;
      const ChatTemplate::Options options{asks, {}, {}};
      CHECK(chat_template.render(messages_of(chat), options) == chat.at(kind).get<std::string>());
      CHECK(chat_template.encode(messages_of(chat), options, tokenizer) == chat.at(ids).get<Ids>());
    }
}

/// The most probable tokens, up to the first that differs from the expected: a near tie says how near.
std::string greedy_difference(const Model& model, const Json& expected) {
  const Ids prompt = expected.at("prompt_ids"), tokens = expected.at("tokens");
  Decoder decoder(model.weights, prompt.size() + tokens.size(), default_chunk, available_cpus());
  std::span<const real> logits = decoder.feed(prompt);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto best = TokenId(std::ranges::max_element(logits) - logits.begin());
    if (best != tokens[i])
      return fmt::format("token {} is {}, expected {}; the reference's best two lay {} apart", i, best, tokens[i],
                         expected.at("gaps")[i].get<double>());
    logits = decoder.feed({&tokens[i], 1});
  }
  return "";
}

/// Perplexity of the second half of each of the first windows.
double perplexity(const Model& model, const Ids& tokens, size_t context, size_t windows) {
  LossEvaluator evaluator(model.config.llama, 1, context, false);
  double loss = 0;
  for (size_t w = 0; w < windows; ++w) {
    const TokenId* window = tokens.data() + w * context;
    Ids targets(context, no_target);
    std::copy(window + context / 2 + 1, window + context, targets.begin() + std::ptrdiff_t(context / 2));
    loss += evaluator.forward(model.weights, {{window, {1, context}}, {targets.data(), {1, context}}});
  }
  return std::exp(loss / double(windows * (context / 2 - 1)));
}

}  // namespace

bool has_chats(const Case& c) {
  return std::ranges::any_of(c.files, [&](const std::string& file) { return holds_chats(c, file); });
}

void check_chats(const Case& c) {
  const fs::path all = *find_cases();  // the tokenizers lie there
  const Tokenizer llama2 = code_llama_tokenizer(all),
                  llama3 = load_tokenizer(all / "tokenizers/llama3/tokenizer.model");
  for (const std::string& file : c.files) {
    if (!holds_chats(c, file)) continue;
    CAPTURE(file);
    const ChatFormat* format = find_chat_format(format_of(file));
    REQUIRE(format);
    const Tokenizer& tokenizer = file.starts_with("llama3") ? llama3 : llama2;
    const ChatTemplate chat_template({std::string(format->source), std::string(tokenizer.piece(*tokenizer.bos_id())),
                                      std::string(tokenizer.piece(*tokenizer.eos_id())), tokenizer.bos_id()});
    for (const Json& chat : c.json(file)) check_chat(chat, chat_template, tokenizer);
  }
}

bool has_infilling(const Case& c) {
  return std::ranges::any_of(c.files, [&](const std::string& file) { return holds_infilling(c, file); });
}

void check_infilling(const Case& c) {
  const Tokenizer tokenizer = code_llama_tokenizer(*find_cases());
  const InfillingTokens tokens = find_infilling_tokens(tokenizer);
  for (const std::string& file : c.files) {
    if (!holds_infilling(c, file)) continue;
    const Json json = c.json(file);
    CHECK(tokens.end == json.at("stop"));
    for (const Json& one : json["cases"]) {
      INFO(one.dump());
      const std::string prefix = one.at("prefix"), suffix = one.at("suffix");
      const auto ids = [&](InfillingOrder order) {
        return infilling_prompt(tokenizer, json.at("special").at("bos"), prefix, suffix, order);
      };
      CHECK(ids(InfillingOrder::prefix_first) == one.at("ids_psm").get<Ids>());
      CHECK(ids(InfillingOrder::suffix_first) == one.at("ids_spm").get<Ids>());
    }
  }
}

void check_smollm2(const Case& c) {
  const Json expected = c.json("smollm2.json");
  const char* file = std::getenv("CRIA_SMOLLM2");
  if (!file) return skip_test("CRIA_SMOLLM2 names no " + expected.at("model").at("file").get<std::string>());
  REQUIRE(fs::file_size(file) == expected["model"].at("size"));
  const Model model = open_model(file);
  const Tokenizer& tokenizer = *model.tokenizer;
  for (const Json& text : expected.at("tokenizer").at("texts")) {
    INFO(text.dump());
    const auto ids = [&](SpecialText special) { return tokenizer.encode(text.at("text").get<std::string>(), special); };
    CHECK(ids(SpecialText::plain) == text.at("ids").get<Ids>());
    CHECK(ids(SpecialText::parse) == text.value("ids_special_parsed", text["ids"]).get<Ids>());
  }
  check_smollm2_chats(expected.at("chat_template"), open_chat_template(file, model), tokenizer);
  if (simd::active().target != simd::available_targets().back()) return;  // each target computes the same within 1e-4
  for (const Json& one : expected.at("greedy")) {
    CAPTURE(one.at("kind").get<std::string>());
    CHECK(greedy_difference(model, one) == "");
  }
  const std::string text = read_file(*find_cases() / "texts/tinyshakespeare.txt").substr(0, 20480);
  const Json running = expected.at("perplexity").at("context_512").at("running");
  CHECK(difference(perplexity(model, tokenizer.encode(text), 512, 2), running[1].get<double>(), 0.01) == "");
}

}  // namespace cria::testing
