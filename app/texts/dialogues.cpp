#include "app/texts/dialogues.hpp"

#include <fmt/format.h>

#include "chapters/14-sft/ghost_attention.hpp"
#include "lib/base/check.hpp"
#include "lib/grammar/dialogue.hpp"

namespace cria {

int run_dialogues(const StoriesOptions& options) {
  if (!options.requests) throw UserError("--turns is for --requests, expected both");
  if (options.held_out || options.statistics || options.json)
    throw UserError("--turns goes with --count, --seed, --grammar and --instructed only");
  if (options.out.empty()) throw UserError("dialogues are written to a file, expected --out");
  const Grammar grammar = Grammar::load(dialogue_grammar(options.grammar));
  const DialogueSource source(grammar);
  Random random(options.seed);
  std::vector<Conversation> dialogues(options.count);
  double bits = 0;
  size_t bytes = 0;
  for (Conversation& dialogue : dialogues)
    for (size_t t = 0; t < options.turns; ++t) {
      DialogueTurn turn = source.draw(random, options.instructed && random.below(2) == 0);
      std::vector<Message> question = {{"user", turn.question.text}};
      if (turn.instruction) question = reminded_prompt(turn.instruction->text, std::span(&turn.question.text, 1), {});
      dialogue.messages.push_back(std::move(question.front()));
      dialogue.messages.push_back({"assistant", turn.story.text});
      dialogue.learned.insert(dialogue.learned.end(), {false, true});
      bits -= turn.log2_probability;
      bytes += turn.story.text.size() + 1;
    }
  write_conversations(options.out, dialogues);
  fmt::print("{}: {} dialogues of {} turns, {} bytes of answers, floor {:.4f} bits per byte\n", options.out,
             dialogues.size(), options.turns, bytes, bytes ? bits / double(bytes) : 0);
  return 0;
}

}  // namespace cria
