// Chapter 14, corpora of conversations.
#include "chapters/14-sft/instruction_corpus.hpp"

#include <fmt/format.h>

#include <cmath>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/11-pretraining/shuffled_documents.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/base/fingerprint.hpp"
#include "lib/grammar/request.hpp"

namespace cria {
namespace {

constexpr std::uint64_t held_out = std::uint64_t{1} << 63;  // indices of requests that training never reaches

void require_room(const Document& document, size_t positions, const std::string& what) {
  if (document.tokens.size() <= positions) return;
  throw UserError(
      fmt::format("{} has {} tokens with its prompt, more than the context of {}; expected a larger "
                  "data.context, or a shorter example",
                  what, document.tokens.size(), positions));
}

/// Request number i of a seed is always the same one, whatever was asked for before.
class Requests {
 public:
  Requests(std::uint64_t seed, const InstructionEncoder& encode, size_t positions)
      : seed_(seed), encode_(encode), positions_(positions), grammar_(Grammar::load(file())), source_(grammar_) {}

  static std::filesystem::path file() { return data_folder() / "stories" / "requests.grammar"; }

  RequestedStory at(std::uint64_t index) const {
    Random random(seed_ * 0x9E3779B97F4A7C15u + index);
    return source_.draw(random, index < held_out ? Combinations::trained : Combinations::held_out);
  }
  Document document(const RequestedStory& drawn) const {
    Document document = encode_(std::vector<Message>{{"user", drawn.request.text}, {"assistant", drawn.story.text}});
    require_room(document, positions_, "a story on request");
    return document;
  }

 private:
  std::uint64_t seed_;
  const InstructionEncoder& encode_;
  size_t positions_;
  Grammar grammar_;
  RequestSource source_;
};

Corpus open_requests(const Data& data, const InstructionEncoder& encode, const Recipe& recipe) {
  const auto requests = std::make_shared<Requests>(data.seed, encode, recipe.training.positions);
  Corpus corpus;
  corpus.has_documents = true;
  corpus.fingerprint = fingerprint(read_file(Requests::file().parent_path() / "stories.grammar"),
                                   fingerprint(read_file(Requests::file())));
  corpus.training = packed_documents([=](std::uint64_t i) { return requests->document(requests->at(i)); },
                                     recipe.training.batch, recipe.training.positions);
  double bits = 0;
  for (std::uint64_t i = 0; corpus.validation.targets < recipe.validation_tokens; ++i) {
    const RequestedStory drawn = requests->at(held_out + i);
    corpus.validation.add(requests->document(drawn), recipe.training);
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
  if (data.is_stories()) throw UserError("stories have no questions, expected requests or files of conversations");
  return data.is_requests() ? open_requests(data, encode, recipe) : open_examples(data, encode, recipe);
}

}  // namespace cria
