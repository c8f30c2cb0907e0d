// Chapter 14: conversations from which a model learns to keep to an instruction.
#include <algorithm>

#include "chapters/10-training-step/cross_entropy.hpp"
#include "chapters/12-open-weights/chat_format.hpp"
#include "chapters/14-sft/ghost_attention.hpp"
#include "chapters/14-sft/instruction_encoder.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/chat_model.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Texts = std::vector<std::string>;

const std::string instruction = "Answer in one word.";
const Texts questions = {"Name a colour.", "And a bird.", "A toy?"}, answers = {"Red.", "A wren.", "Kite."};

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("Ghost attention, phase 1: the instruction stands before every question") {
  CHECK(reminded_prompt(instruction, std::span(questions).first(1), {}) ==
        std::vector<Message>{{"user", "Answer in one word.\nName a colour."}});
  CHECK(reminded_prompt(instruction, questions, std::span(answers).first(2)) ==
        std::vector<Message>{{"user", "Answer in one word.\nName a colour."},
                             {"assistant", "Red."},
                             {"user", "Answer in one word.\nAnd a bird."},
                             {"assistant", "A wren."},
                             {"user", "Answer in one word.\nA toy?"}});
  CHECK_THROWS_AS(reminded_prompt(instruction, questions, answers), ContractError);
}

TEST_CASE("Ghost attention, phase 2: the instruction stands in the first turn, and the last answer alone is learned") {
  const Conversation ghost = ghost_conversation(instruction, questions, answers);
  CHECK(ghost.messages == std::vector<Message>{{"user", "Answer in one word.\nName a colour."},
                                               {"assistant", "Red."},
                                               {"user", "And a bird."},
                                               {"assistant", "A wren."},
                                               {"user", "A toy?"},
                                               {"assistant", "Kite."}});
  CHECK(ghost.learned == std::vector<bool>{false, false, false, false, false, true});
  CHECK(ghost_conversation(instruction, std::span(questions).first(1), std::span(answers).first(1)).learned ==
        std::vector<bool>{false, true});
  CHECK_THROWS_AS(ghost_conversation(instruction, questions, std::span(answers).first(2)), ContractError);
  CHECK_THROWS_AS(ghost_conversation(instruction, {}, {}), ContractError);
}

TEST_CASE("Ghost attention as tokens: nothing before the last answer has a target, in a file or not") {
  const TemporaryFolder folder;
  const Conversation ghost = ghost_conversation(instruction, questions, answers);
  write_conversations(folder / "ghosts.jsonl", std::vector{ghost, ghost});
  const std::vector<Instruction> read = read_instructions(Data((folder / "ghosts.jsonl").string()));
  REQUIRE(read.size() == 2);  // and not one for each answer
  REQUIRE(read[1].messages == ghost.messages);

  const Model model = chat_model();
  const Tokenizer& tokenizer = *model.tokenizer;
  const InstructionEncoder encode({std::string(find_chat_format("chatml")->source), "<s>", "</s>", {}}, tokenizer,
                                  TokenId(257));
  const Document document = encode(read[1].messages);
  CHECK(count_of(tokenizer.decode(document.tokens), instruction) == 1);
  std::vector<TokenId> learned;
  std::ranges::copy_if(document.targets, std::back_inserter(learned), [](TokenId id) { return id != no_target; });
  REQUIRE(learned.size() > 1);
  CHECK(learned.back() == encode.end_of_turn());
  learned.pop_back();
  CHECK(tokenizer.decode(learned) == "Kite.");
  // The first phase's prompt has the same last question, and the instruction once a turn.
  const std::vector<Message> prompt = reminded_prompt(instruction, questions, std::span(answers).first(2));
  CHECK(count_of(tokenizer.decode(encode.prompt(prompt)), instruction) == 3);
}
