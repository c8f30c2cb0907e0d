// cria instructions self-chat: a model talks to itself, for a file of conversations to learn from.
#include "app/self_chat.hpp"

#include <fmt/format.h>

#include <sstream>

#include "app/command_name.hpp"
#include "app/train.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/11-pretraining/generation_config.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"
#include "chapters/14-sft/self_chat.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

std::vector<std::string> read_questions(const std::string& file) {
  std::vector<std::string> questions;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.find_first_not_of(" \t") != line.npos) questions.push_back(line);
  }
  if (questions.empty()) throw UserError(file + " has no questions, expected one a line");
  return questions;
}

}  // namespace

int run_self_chat(const SelfChatCommand& options) {
  if (options.turns == 0) throw UserError("--turns is 0, expected more");
  const std::vector<std::string> questions = read_questions(options.questions);
  const std::filesystem::path path = model_folder(options.model);
  const PackedModel model = open_packed_model(path);
  if (!model.tokenizer) throw UserError(path.string() + " has no tokenizer, expected one to turn text into tokens");
  const GenerationConfig defaults = read_generation_config(path, model.config.llama.vocabulary_size);
  GenerationOptions generation;
  generation.sampling = choose_sampling(options.sampling, defaults.sampling);
  std::vector<TokenId> ends = answer_ends(model);
  ends.insert(ends.end(), defaults.end_of_text.begin(), defaults.end_of_text.end());
  const InstructionEncoder encoder = open_encoder(path, model, ends);
  const size_t context = std::min<size_t>(model.config.llama.context, 4096);
  constexpr size_t places = 16;
  BatchDecoder decoder(model.weights, std::min(places, questions.size()), context, thread_count(options.threads));

  const auto write = [&](std::span<const TextPrompt> prompts, std::span<const std::string> stops) {
    std::vector<std::string> texts(prompts.size());
    std::vector<TextRequest> requests;
    std::vector<size_t> of;  // which prompt each is
    generation.stops.assign(stops.begin(), stops.end());
    for (size_t i = 0; i < prompts.size(); ++i) {
      std::vector<TokenId> prompt = encoder.prompt(prompts[i].messages);
      const std::vector<TokenId> beginning = model.tokenizer->encode_continuation(prompts[i].beginning);
      prompt.insert(prompt.end(), beginning.begin(), beginning.end());
      ++generation.sampling.seed;  // each text has its own
      if (prompt.size() >= context) continue;
      generation.tokens = std::min(options.tokens, context - prompt.size());
      requests.push_back({std::move(prompt), generation});
      of.push_back(i);
    }
    for (FinishedText& text : generate_texts(decoder, *model.tokenizer, requests, ends))
      if (text.result.ended) texts[of[text.request]] = std::move(text.text);
    return texts;
  };
  const std::vector<Conversation> conversations = self_chat(questions, {options.turns, options.instruction}, write);
  if (conversations.empty()) throw UserError(path.string() + " answered none of the questions");
  write_conversations(options.out, conversations);
  size_t answers = 0;
  for (const Conversation& one : conversations) answers += one.messages.size() / 2;
  fmt::print("{}: {} conversations with {} answers. Try: {} finetune {} --data {}\n", options.out, conversations.size(),
             answers, command_name(), quoted_for_shell(options.model), quoted_for_shell(options.out));
  return 0;
}

}  // namespace cria
