#include "chapters/22-serving/speculate.hpp"

#include <algorithm>
#include <cmath>

#include "chapters/22-serving/acceptance.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

GenerationResult speculate_text(Decoder& decoder, Draft& draft, size_t most, const Tokenizer& tokenizer,
                                const std::vector<TokenId>& prompt, std::span<const TokenId> ends,
                                const GenerationOptions& options, const std::function<void(std::string_view)>& show,
                                SpeculationFigures& figures) {
  const size_t V = decoder.vocabulary_size(), capacity = decoder.cache().capacity();
  Continuation text(prompt, tokenizer, ends, options, V);
  Random coins(options.sampling.seed + 1);
  Arena<real> memory((most + 1) * V);
  const View<real, 2> distributions = memory.take(Shape<2>{most, V});
  const View<real, 1> target = memory.take(Shape<1>{V});
  std::vector<TokenId> drafted(most), pass;
  const auto stopped = [&] { return options.stop && *options.stop; };
  if (!text.done() && !stopped()) {
    const auto logits = decoder.feed(text.tokens().subspan(decoder.length()));
    show(text.draw({logits, {V}}));
  }
  while (!text.done() && !stopped()) {
    // Tokens that could still come behind this pass's own, and positions for them.
    const size_t left = prompt.size() + options.tokens - text.tokens().size() - 1;
    const size_t room = capacity - std::min(capacity, decoder.length() + 1);
    const size_t count = draft.propose(text, std::span(drafted).first(std::min({most, left, room})), distributions);
    pass.assign(1, text.tokens().back());
    pass.insert(pass.end(), drafted.begin(), drafted.begin() + std::ptrdiff_t(count));
    const View<const real, 2> logits = decoder.feed_each(pass);  // (count + 1, V)
    ++figures.passes;
    size_t i = 0;
    // solution: verify
    for (; i < count && !text.done(); ++i) {
      text.distribution(logits[i], target);
      const TokenId token = verified_token(target, distributions[i], drafted[i], coins.uniform());
      ++figures.drafted;
      show(text.take(token));
      if (token != drafted[i]) break;
      ++figures.accepted;
    }
    // end of solution
    // solution: bonus
    if (i == count && !text.done()) show(text.draw(logits[count]));  // nothing was wrong: one more comes for nothing
    // end of solution
    // Positions of guesses that were wrong; the newest token is fed in the next pass, if there is one.
    if (!text.done() && decoder.length() >= text.tokens().size()) decoder.truncate(text.tokens().size() - 1);
  }
  show(text.finish());
  return text.result();
}

double expected_tokens(double acceptance, size_t most) {
  const double n = double(most + 1);
  return acceptance == 1 ? n : (1 - std::pow(acceptance, n)) / (1 - acceptance);
}

}  // namespace cria
