#include "app/machines/digest.hpp"

#include "app/machines/machines.hpp"

namespace cria {

Digest digest_of(const PackedModel& model) {
  Digest digest;
  digest.add(numbers_of(model.config.llama)).add(model.config.begin_of_text.value_or(-1)).add(model.config.end_of_text);
  digest.add(model.types);
  for_each_parameter(model.config.llama, model.weights.tensors,
                     [&](const std::string&, auto shape, const auto& tensor) {
                       if constexpr (shape.size() == 1) digest.add(tensor.span());
                     });
  return digest;
}

Digest digest_of(const BpeModel& tokenizer) {
  Digest digest;
  const ByteStrings& vocabulary = tokenizer.vocabulary;
  for (size_t id = 0; id < vocabulary.size(); ++id) digest.add(vocabulary[id]);
  for (const Merge& merge : tokenizer.merges) digest.add(merge.left).add(merge.right).add(merge.result);
  digest.add(tokenizer.alphabet).add(tokenizer.pattern).add(tokenizer.special_tokens);
  digest.add(tokenizer.ranks_tokens).add(tokenizer.ignore_merges).add(tokenizer.composes);
  if (!tokenizer.sentencepiece) return digest;
  const SentencePieceRules& rules = *tokenizer.sentencepiece;
  digest.add(rules.scores).add(rules.byte_tokens).add(rules.unknown.value_or(-1)).add(rules.adds_blank);
  return digest.add(rules.adds_behind_specials).add(rules.adds_only_where_none).add(rules.collapses_blanks);
}

Digest digest_of(const GenerationOptions& options) {
  const SamplingOptions& s = options.sampling;
  Digest digest;
  digest.add(s.temperature)
      .add(s.top_k)
      .add(s.top_p)
      .add(s.min_p)
      .add(s.repetition_penalty)
      .add(s.seed)
      .add(s.raw_seed);
  return digest.add(options.tokens).add(options.stops);
}

}  // namespace cria
