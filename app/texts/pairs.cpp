// cria pairs: a model's own answers as pairs of a good and a bad one.
#include "app/texts/pairs.hpp"

#include <fmt/format.h>

#include "app/command_name.hpp"
#include "app/run/adapter.hpp"
#include "app/run/answering_model.hpp"
#include "app/thread_count.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/17-rejection-sampling/sampled_pairs.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"

namespace cria {

int run_pairs(const PairsOptions& options) {
  if (options.count == 0 || options.samples < 2)
    throw UserError("--count must be at least 1, and --samples at least 2");
  if (!(options.temperature > 0)) throw UserError("--temperature must be above 0: at 0 all answers are the same");
  const std::filesystem::path path = model_folder(options.model);
  PackedModel model = open_with_tokenizer(path);
  model.weights = with_adapter(model.weights, options.adapter);
  const std::vector<TokenId> ends = answer_ends(model);
  const InstructionEncoder encoder =
      open_encoder(format_folder(path, model, options.adapter), model, ends, request_template());
  const SampledPairs sampled =
      sample_pairs(model.weights, *model.tokenizer, std::make_shared<StoryRequests>(options.seed), encoder,
                   {ends, encoder.end_of_turn(), model.config.llama.context, options.seed << 32, options.temperature},
                   options.count, options.samples, thread_count(options.threads));
  if (sampled.pairs.empty())
    throw UserError(
        fmt::format("of {} requests none has both a right and a wrong answer; {:.1f} % of {} answers are right",
                    options.count, 100 * sampled.reward, options.count * options.samples));
  write_file_atomically(options.out, [&](const WriteBytes& write) { write_preferences(sampled.pairs, write); });
  fmt::print(
      "{}: {} pairs from {} requests; {:.1f} % of {} answers are right. Try: {} finetune {} --method dpo --data {}\n",
      options.out, sampled.pairs.size(), options.count, 100 * sampled.reward, options.count * options.samples,
      command_name(), quoted_for_shell(path.string()), quoted_for_shell(options.out));
  return 0;
}

}  // namespace cria
