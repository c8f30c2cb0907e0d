#include "lib/grammar/judge_answer.hpp"

#include <algorithm>

#include "lib/grammar/judge.hpp"
#include "lib/grammar/slots.hpp"

namespace cria {

bool AnswerJudgement::all() const {
  return parses && std::ranges::all_of(obeyed, [](bool one) { return one; });
}

AnswerJudgement judge_answer(const Parser& parser, std::span<const Asked> asked, std::string_view answer) {
  const size_t begin = std::min(answer.find_first_not_of(" \n\r"), answer.size());
  answer = answer.substr(begin, answer.find_last_not_of(" \n\r") + 1 - begin);
  AnswerJudgement judgement{.obeyed = std::vector<bool>(asked.size())};
  const auto parse = parser.story(answer);
  if (!parse) return judgement;
  judgement.parses = true;
  judgement.log2_probability = parse->log2_probability;
  const size_t sentences = split_sentences(answer).size();
  for (size_t i = 0; i < asked.size(); ++i)
    judgement.obeyed[i] =
        slot_value(parser.grammar(), parser.grammar().slots[asked[i].slot], parse->rows, sentences) == asked[i].value;
  return judgement;
}

}  // namespace cria
