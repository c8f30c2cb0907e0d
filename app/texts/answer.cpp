// cria answer: what a model answers to a file of requests, for `judge --requests`.
#include "app/texts/answer.hpp"

#include <fmt/format.h>

#include "app/command_name.hpp"
#include "app/run/answering_model.hpp"
#include "app/texts/stories.hpp"
#include "app/thread_count.hpp"
#include "chapters/09-sampling/generate.hpp"
#include "chapters/14-sft/story_requests.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/request_file.hpp"

namespace cria {

int run_answer(const AnswerOptions& options) {
  const Grammar grammar = Grammar::load(grammar_file(options.grammar, true));
  std::vector<AnsweredRequest> answered = read_requests(options.requests, grammar);
  const AnsweringModel answering = open_answering_model(options.model, options.adapter, options.sampling);
  const PackedModel& model = answering.model;
  const InstructionEncoder encoder = open_encoder(answering.format_folder(), model, answering.ends, request_template());
  const size_t context = model.config.llama.context;
  std::vector<TextRequest> texts;
  for (const AnsweredRequest& one : answered) {
    std::vector<TokenId> prompt = encoder.prompt(std::vector<Message>{{"user", one.request.text}});
    if (prompt.size() >= context)
      throw UserError(fmt::format("{}: request {} has {} tokens, more than the context of {} has room for",
                                  options.requests, texts.size() + 1, prompt.size(), context));
    GenerationOptions generation;
    generation.sampling = answering.sampling;
    generation.tokens = context - prompt.size();
    generation.sampling.seed += texts.size();  // answer i comes from seed + i, whatever stands beside it
    texts.push_back({std::move(prompt), std::move(generation)});
  }
  constexpr size_t places = 32;
  BatchDecoder decoder(model.weights, places, context, thread_count(options.threads));
  for (FinishedText& text : generate_texts(decoder, *model.tokenizer, texts, answering.ends)) {
    answered[text.request].answer = std::move(text.text);
    answered[text.request].log2_probability.reset();
  }
  write_file_atomically(options.out, [&](const WriteBytes& write) { write_requests(grammar, answered, write); });
  fmt::print("{}: {} answers. Try: {} judge --requests {}\n", options.out, answered.size(), command_name(),
             quoted_for_shell(options.out));
  return 0;
}

}  // namespace cria
