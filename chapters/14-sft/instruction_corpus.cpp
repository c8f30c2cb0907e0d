// Chapter 14, corpora of conversations.
#include "chapters/14-sft/instruction_corpus.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/11-pretraining/shuffled_documents.hpp"
#include "chapters/14-sft/story_requests.hpp"
#include "lib/base/check.hpp"
#include "lib/base/fingerprint.hpp"

namespace cria {
namespace {

void require_room(const Document& document, size_t positions, const std::string& what) {
  if (document.tokens.size() <= positions) return;
  throw UserError(
      fmt::format("{} has {} tokens with its prompt, more than the context of {}; expected a larger "
                  "data.context, or a shorter example",
                  what, document.tokens.size(), positions));
}

Document requested_document(const RequestedStory& drawn, const InstructionEncoder& encode, size_t positions) {
  Document document = encode(std::vector<Message>{{"user", drawn.request.text}, {"assistant", drawn.story.text}});
  require_room(document, positions, "a story on request");
  return document;
}

Corpus open_requests(const Data& data, const InstructionEncoder& encode, const Recipe& recipe) {
  const auto requests = std::make_shared<StoryRequests>(data.seed);
  const size_t positions = recipe.training.positions;
  Corpus corpus;
  corpus.has_documents = true;
  corpus.fingerprint = StoryRequests::fingerprint();
  corpus.training =
      packed_documents([=, &encode](std::uint64_t i) { return requested_document(requests->at(i), encode, positions); },
                       recipe.training.batch, positions);
  double bits = 0;
  for (std::uint64_t i = 0; corpus.validation.targets < recipe.validation_tokens; ++i) {
    const RequestedStory drawn = requests->at(StoryRequests::held_out + i);
    corpus.validation.add(requested_document(drawn, encode, positions), recipe.training);
    bits -= drawn.log2_probability;
  }
  if (corpus.validation.bytes > 0) corpus.validation.floor = bits / corpus.validation.bytes;
  return corpus;
}

Corpus open_examples(const Data& data, const InstructionEncoder& encode, const Recipe& recipe) {
  const std::vector<Instruction> examples = read_instructions(data);
  const auto held = static_cast<size_t>(std::ceil(double(examples.size()) * recipe.validation));
  if (held >= examples.size())
    throw UserError(
        fmt::format("{}: all examples are held out, none is left to train on; lower data.validation", data.name));
  Corpus corpus;
  corpus.has_documents = true;
  corpus.fingerprint = fingerprint_start;
  const auto documents = std::make_shared<ShuffledDocuments>(data.seed);
  for (size_t i = 0; i < examples.size(); ++i) {
    Document document = encode(examples[i].messages);
    require_room(document, recipe.training.positions, examples[i].place);
    for (const Message& message : examples[i].messages)
      corpus.fingerprint = fingerprint(message.content, corpus.fingerprint ^ message.content.size());
    if (i + held >= examples.size()) {
      if (corpus.validation.targets < recipe.validation_tokens) corpus.validation.add(document, recipe.training);
      continue;
    }
    corpus.training_tokens += document.tokens.size();
    documents->add(std::move(document));
  }
  corpus.training = packed_documents([=](std::uint64_t i) { return documents->at(i); }, recipe.training.batch,
                                     recipe.training.positions);
  return corpus;
}

}  // namespace

Corpus open_instruction_corpus(const Data& data, const InstructionEncoder& encode, const Recipe& recipe) {
  if (data.is_drawn())
    throw UserError("there are no questions in " + data.name + ", expected requests or files of conversations");
  return data.is_requests() ? open_requests(data, encode, recipe) : open_examples(data, encode, recipe);
}

}  // namespace cria
