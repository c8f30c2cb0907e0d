// Chapter 14, a prompt and its answer as a document.
#include "chapters/14-sft/answer_document.hpp"

#include "chapters/10-training-step/cross_entropy.hpp"
#include "lib/base/check.hpp"

namespace cria {

Document answer_document(const std::vector<std::int32_t>& prompt, const std::vector<std::int32_t>& answer,
                         std::int32_t end, size_t bytes) {
  require(!prompt.empty(), "answer_document",
          "needs a prompt: its last token is what the answer's first is learned from");
  // solution: answer_document
  Document document{prompt, std::vector<std::int32_t>(prompt.size() - 1, no_target), bytes};
  document.tokens.insert(document.tokens.end(), answer.begin(), answer.end());
  document.targets.insert(document.targets.end(), answer.begin(), answer.end());
  document.targets.push_back(end);
  return document;
  // end of solution
}

}  // namespace cria
