// cria instructions ghost, which makes the conversations of Ghost attention, and obedience, which measures what they
// do.
#include "app/texts/ghost.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/texts/self_chat.hpp"
#include "app/texts/stories.hpp"
#include "chapters/14-sft/ghost_data.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

int run_ghost(const GhostOptions& options) {
  const std::vector<Instruction> dialogues = read_instructions(Data(options.data));
  const std::vector<std::string> instructions = read_lines_of(options.instructions, "instructions");
  ModelWriter write(options.writer, dialogues.size());
  const std::vector<Conversation> ghosts =
      ghost_data(dialogues, instructions, options.writer.sampling.seed, std::ref(write));
  if (ghosts.empty()) throw UserError(write.path().string() + " answered none of the dialogues");
  write_answered(options.writer.model, options.out, ghosts);
  return 0;
}

int run_obedience(const ObedienceCommand& options) {
  const ObedienceOptions& measured = options.measured;
  if (measured.turns == 0) throw UserError("--turns is 0, expected more");
  if (measured.dialogues == 0) throw UserError("--dialogues is 0, expected more");
  const Grammar grammar = Grammar::load(dialogue_grammar(options.grammar));
  const DialogueSource source(grammar);
  ModelWriter write(options.writer, measured.dialogues);
  const std::vector<TurnObedience> turns = measure_obedience(source, measured, std::ref(write));
  const auto share = [&](size_t count) { return double(count) / double(measured.dialogues); };
  const auto error = [&](double p) { return std::sqrt(p * (1 - p) / double(measured.dialogues)); };
  std::string log;
  fmt::print("turn  instruction obeyed  question obeyed  stories\n");
  for (size_t t = 0; t < turns.size(); ++t) {
    const double obeyed = share(turns[t].instruction), answered = share(turns[t].question);
    fmt::print("{:>4}      {:>5.1f} ± {:.1f} %     {:>5.1f} ± {:.1f} %  {:>5.1f} %\n", t + 1, 100 * obeyed,
               100 * error(obeyed), 100 * answered, 100 * error(answered), 100 * share(turns[t].stories));
    const nlohmann::ordered_json line = {{"turn", t + 1},
                                         {"dialogues", measured.dialogues},
                                         {"obeyed", obeyed},
                                         {"answered", answered},
                                         {"stories", share(turns[t].stories)}};
    log += line.dump() + "\n";
  }
  if (!options.log.empty()) write_file_atomically(options.log, log);
  return 0;
}

}  // namespace cria
