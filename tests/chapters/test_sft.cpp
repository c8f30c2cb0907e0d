// Chapter 14: what is learned of a question and its answer, in which tokens, from which files.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "chapters/01-bpe/train.hpp"
#include "chapters/11-pretraining/pretraining.hpp"
#include "chapters/12-open-weights/chat_format.hpp"
#include "chapters/14-sft/instruction_corpus.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "lib/base/check.hpp"
#include "lib/base/file.hpp"
#include "lib/grammar/judge_answer.hpp"
#include "lib/grammar/request.hpp"
#include "tests/chapters/batch_contents.hpp"
#include "tests/chapters/chat_model.hpp"
#include "tests/chapters/tiny_llama.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

TrainerOptions shape(size_t batch, size_t positions, size_t micro_batch = 1, size_t lanes = 1) {
  TrainerOptions options;
  options.batch = batch, options.positions = positions, options.micro_batch = micro_batch, options.lanes = lanes;
  return options;
}

LlamaParameters random_weights(const LlamaConfig& config) {
  LlamaParameters weights(config);
  Random random(3);
  for (real& weight : weights.flat()) weight = real(0.3 * random.normal());
  return weights;
}

/// The mean loss of documents in batches of this shape.
double loss_of(const LlamaParameters& weights, const std::vector<Document>& documents, const TrainerOptions& options) {
  ThreadPool pool(1);
  Trainer trainer(weights, options, pool);
  Validation validation;
  for (const Document& document : documents) validation.add(document, options);
  return validation.loss([&](const Batch& batch) { return trainer.evaluate(batch); });
}

ChatTemplateSource format(std::string_view name) {
  return {std::string(find_chat_format(name)->source), "<s>", "</s>", {}};
}

std::vector<Instruction> read_text(const std::string& text) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "data", text);
  return read_instructions(Data((folder / "data").string()));
}

std::string refusal_of(const std::string& text) {
  try {
    read_text(text);
  } catch (const UserError& error) {
    const std::string message = error.what();
    return message.substr(message.find("data"));
  }
  return "no error";
}

}  // namespace

TEST_CASE("a prompt and its answer: the example of the lesson, worked by hand") {
  // The prompt 1 5 6, the answer 7 8, end 2.
  const Document document = answer_document({1, 5, 6}, {7, 8}, 2, 3);
  CHECK(document.tokens == Ids{1, 5, 6, 7, 8});
  CHECK(document.targets == Ids{no_target, no_target, 7, 8, 2});
  CHECK(document.bytes == 3);
  CHECK(answer_document({1}, {}, 2, 1).targets == Ids{2});
  CHECK_THROWS_AS(answer_document({}, {7}, 2, 1), ContractError);
}

TEST_CASE("prompts have no loss: it is that of the answers, which see the prompt") {
  const LlamaParameters weights = random_weights(tiny());
  const Document document = answer_document({1, 5, 6}, {7, 8}, 2, 3);
  const Document all = {document.tokens, {5, 6, 7, 8, 2}, 3}, prompt = {document.tokens, {5, 6, -1, -1, -1}, 3};
  const TrainerOptions one = shape(1, 5);
  CHECK(difference(5 * loss_of(weights, {all}, one) - 2 * loss_of(weights, {prompt}, one),
                   3 * loss_of(weights, {document}, one), 1e-5) == "");
  const Document other = answer_document({1, 9, 4}, {7, 8}, 2, 3);
  CHECK(std::abs(loss_of(weights, {document}, one) - loss_of(weights, {other}, one)) > 1e-4);
}

TEST_CASE("answers that are packed together are learned as if each stood alone, by the mean over all their tokens") {
  const LlamaParameters weights = random_weights(tiny());
  const std::vector<Document> documents = {answer_document({1, 5, 6}, {7, 8}, 2, 3),
                                           answer_document({1, 3}, {9, 10, 11, 12, 13}, 2, 6),
                                           answer_document({1, 4, 4, 4}, {}, 2, 1)};
  double sum = 0;
  size_t targets = 0;
  for (const Document& document : documents) {
    const size_t count = document.targets.size() - size_t(std::ranges::count(document.targets, no_target));
    sum += loss_of(weights, {document}, shape(1, 16)) * double(count);
    targets += count;
  }
  REQUIRE(targets == 3 + 6 + 1);
  CHECK(difference(loss_of(weights, documents, shape(1, 16)), sum / double(targets), 1e-5) == "");

  // And so a step does not depend on how the sequences are shared out, though they have 3, 6 and 1 targets.
  std::vector<StepResult> steps;
  for (const auto& [micro_batch, lanes] : {std::pair(1, 1), {3, 1}, {1, 3}, {2, 2}}) {
    const LlamaParameters copy = random_weights(tiny());
    ThreadPool pool(1);
    Trainer trainer(copy, shape(3, 7, size_t(micro_batch), size_t(lanes)), pool);
    BatchMemory memory(3, 7, true);
    memory.clear();
    for (const Document& document : documents) REQUIRE(memory.add(document));
    steps.push_back(trainer.step(memory.batch(), 1e-3));
  }
  for (const StepResult& step : steps) {
    CHECK(difference(step.loss, sum / double(targets), 1e-5) == "");
    CHECK(difference(step.gradient_norm, steps[0].gradient_norm, 1e-5) == "");
  }
}

TEST_CASE("loss and gradient of answers that are packed together are PyTorch's of each by itself") {
  const LlamaParameters weights(tiny()), gradients(tiny());
  std::ranges::copy(golden_real<1>("14-sft/parameters.npy"), weights.flat().begin());
  const Array<double, 2> lengths = golden<2>("14-sft/lengths.npy");
  const Array<double, 1> tokens = golden<1>("14-sft/tokens.npy");
  BatchMemory memory(2, 12, true);
  memory.clear();
  double targets = 0;
  auto token = tokens.begin();
  for (size_t i = 0; i < lengths.shape(0); ++i) {
    Ids parts[2];
    for (size_t k = 0; k < 2; ++k)
      for (double n = 0; n < lengths(i, k); ++n) parts[k].push_back(std::int32_t(*token++));
    REQUIRE(memory.add(answer_document(parts[0], parts[1], 2, 1)));
    targets += lengths(i, 1) + 1;
  }
  LossEvaluator evaluator(tiny(), 2, 12, true);
  const double sum = evaluator.forward_backward(weights, memory.batch(), 1 / targets, gradients.tensors());
  // As for cross entropy without a mask (tests of chapter 08).
  CHECK(difference(sum / targets / golden<1>("14-sft/loss.npy")(0), 1, 4 * epsilon) == "");  // measured: 1.12
  CHECK(relative_error(View<const real, 1>(gradients.flat().data(), {gradients.flat().size()}),
                       golden<1>("14-sft/d_parameters.npy")) < 50 * epsilon);
}

TEST_CASE("a conversation is a prompt in the model's format, and an answer that is encoded apart and ends its turn") {
  const Model model = chat_model();
  const std::vector<Message> talk = {{"user", "Hi"}, {"assistant", "Hello"}, {"user", "Bye"}, {"assistant", "Au <s>"}};
  for (const auto& [name, end] :
       {std::pair("chatml", TokenId(259)), {"alpaca", TokenId(257)}, {"llama2", TokenId(257)}}) {
    INFO(name);
    const InstructionEncoder encode(format(name), *model.tokenizer, TokenId(257));
    CHECK(encode.end_of_turn() == end);
    const Document document = encode(talk);
    const std::vector<TokenId> prompt = encode.prompt(std::span(talk).first(3));
    const std::vector<TokenId> answer = model.tokenizer->encode("Au <s>");
    REQUIRE(document.tokens.size() == prompt.size() + answer.size());
    CHECK(Ids(document.tokens.begin(), document.tokens.begin() + std::ptrdiff_t(prompt.size())) == prompt);
    CHECK(Ids(document.tokens.end() - std::ptrdiff_t(answer.size()), document.tokens.end()) == answer);
    CHECK(size_t(std::ranges::count(document.targets, no_target)) == prompt.size() - 1);
    CHECK(document.targets.back() == end);
    CHECK(document.bytes == 7);
    // What is typed never becomes a special token, in an answer neither.
    CHECK(std::ranges::count(answer, 256) == 0);
  }
  CHECK_THROWS_WITH(InstructionEncoder(format("alpaca"), Tokenizer(bytes_model({"<s>"})), std::nullopt),
                    contains("no token that ends an answer"));
}

TEST_CASE("no token lies across the border of prompt and answer") {
  // A tokenizer in which ":O", the end of Alpaca's prompt and the beginning of the answer, is one token.
  std::string text;
  for (int i = 0; i < 200; ++i) text += std::string(":O") + char('a' + i % 26);
  BpeOptions options;
  options.vocabulary_size = 300;
  options.pattern = split_pattern_from_name("none");
  const Tokenizer tokenizer(train_bpe(text, options));
  REQUIRE(tokenizer.encode(":O").size() == 1);
  const InstructionEncoder encode(format("alpaca"), tokenizer, tokenizer.eos_id());
  const std::vector<Message> talk = {{"user", "A story."}, {"assistant", "Once"}};
  const Document document = encode(talk);
  const std::vector<TokenId> prompt = encode.prompt(std::span(talk).first(1));
  REQUIRE(document.tokens.size() > prompt.size());
  CHECK(std::equal(prompt.begin(), prompt.end(), document.tokens.begin()));
  CHECK(tokenizer.decode(std::vector<TokenId>(document.tokens.begin() + std::ptrdiff_t(prompt.size()),
                                              document.tokens.end())) == "Once");
}

TEST_CASE("Alpaca's form and chat messages are read, as a list or one a line") {
  const std::string one = R"({"instruction": "Name a colour.", "input": "", "output": "Red."})";
  const std::string two = R"({"instruction": "Translate.", "input": "Bonjour", "output": "Good day.", "id": 7})";
  const std::string three =
      R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "a"},
      {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})";
  std::string in_line = three;
  std::ranges::replace(in_line, '\n', ' ');
  for (const std::string& text :
       {"[" + one + ",\n" + two + ", " + three + "]", one + "\n\n" + two + "\r\n" + in_line}) {
    const std::vector<Instruction> read = read_text(text);
    REQUIRE(read.size() == 4);
    CHECK(read[0].messages == std::vector<Message>{{"user", "Name a colour."}, {"assistant", "Red."}});
    CHECK(read[1].messages ==
          std::vector<Message>{{"user", "Translate.\n\n### Input:\nBonjour"}, {"assistant", "Good day."}});
    CHECK(read[2].messages.size() == 3);
    CHECK(read[3].messages.size() == 5);
    CHECK(read[3].messages.back().content == "d");
  }
}

TEST_CASE("an answer with the weight 0 is read and not learned, also after a file was written") {
  const std::string talk =
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0},
      {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 1},
      {"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}]})";
  const std::vector<Instruction> read = read_text("[" + talk + "]");
  REQUIRE(read.size() == 2);
  CHECK(read[0].messages.size() == 4);
  CHECK(read[1].messages.size() == 6);
  CHECK(read[1].messages[1] == Message{"assistant", "b"});

  const TemporaryFolder folder;
  write_conversations(folder / "data",
                      std::vector<Conversation>{{read[1].messages, {false, false, false, true, false, true}},
                                                {{{"user", "\"\n\xff"}, {"assistant", "é"}}, {false, true}}});
  const std::vector<Instruction> again = read_instructions(Data((folder / "data").string()));
  REQUIRE(again.size() == 3);
  CHECK(again[0].messages == read[0].messages);
  CHECK(again[1].messages == read[1].messages);
  CHECK(again[2].messages == std::vector<Message>{{"user", "\"\n\uFFFD"}, {"assistant", "é"}});
}

TEST_CASE("examples that cannot be learned from are refused, each with its place") {
  CHECK(refusal_of("") == "data is empty, expected examples");
  CHECK(refusal_of("[3]") == "data, example 1: is 3, expected an object");
  CHECK(refusal_of("[{}]") == "data, example 1: has neither \"messages\" nor \"instruction\" and \"output\"");
  CHECK(refusal_of(R"([{"instruction": "a"}])") == "data, example 1: lacks \"output\"");
  CHECK(refusal_of(R"([{"instruction": "a", "output": 3}])") == "data, example 1: \"output\" is 3, expected a text");
  CHECK(refusal_of(R"([{"instruction": "a", "output": " \n"}])") == "data, example 1: has an empty answer");
  CHECK(refusal_of("{\"instruction\": \"a\", \"output\": \"b\"}\n{\"instruction\"") ==
        "data, line 2 is not valid JSON at byte 15");
  CHECK_THAT(refusal_of(R"([{"messages": 3}])"), contains("data, example 1: is 3, expected a list of messages"));
  CHECK_THAT(refusal_of(R"([{"messages": [{"role": "user", "content": "a", "weight": 0}]}])"), contains("weight"));
  const auto weighted = [](const char* weight) {
    return fmt::format(
        R"([{{"messages": [{{"role": "user", "content": "a"}}, {{"role": "assistant", "content": "b", "weight": {}}}]}}])",
        weight);
  };
  CHECK(refusal_of(weighted("1")) == "no error");
  CHECK(refusal_of(weighted("0")) == "data, example 1: has no answer to learn");
  CHECK(refusal_of(weighted("0.5")) == "data, example 1: message 2: \"weight\" is 0.5, expected 0 or 1");
  CHECK(refusal_of(weighted("true")) == "data, example 1: message 2: \"weight\" is true, expected 0 or 1");
  CHECK(refusal_of(R"([{"messages": [{"role": "user", "content": "a"}]}])") ==
        "data, example 1: has no answer to learn");
  CHECK(refusal_of(R"([{"messages": [{"role": "assistant", "content": "a"}]}])") ==
        "data, example 1: has an answer that follows no question");
}

TEST_CASE("files are held out at their end, and an example that the context has no room for is named") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 20; ++i) text += fmt::format("{{\"instruction\": \"q\", \"output\": \"answer {:02}\"}}\n", i);
  write_file_atomically(folder / "data", text);
  const Tokenizer tokenizer(bytes_model({"<s>", "</s>"}));
  const InstructionEncoder encode(format("alpaca"), tokenizer, TokenId(257));
  Recipe recipe;
  recipe.training.batch = 1, recipe.training.positions = 512;
  const Data data((folder / "data").string(), 1);
  Corpus corpus = open_instruction_corpus(data, encode, recipe);
  CHECK(corpus.validation.targets == 2 * 10);  // 9 bytes and the end of each
  CHECK(corpus.validation.bytes == 20);
  CHECK_FALSE(corpus.validation.floor);
  const auto state = corpus.training->state();
  const auto first = contents(corpus.training->next());
  corpus.training->next();
  corpus.training->restore(state);
  CHECK(contents(corpus.training->next()) == first);
  recipe.training.positions = 100;
  CHECK_THROWS_WITH(open_instruction_corpus(data, encode, recipe), contains("example 1 has "));
  recipe.validation = 0.99;
  recipe.training.positions = 512;
  CHECK_THROWS_WITH(open_instruction_corpus(data, encode, recipe), contains("all examples are held out"));
  CHECK_THROWS_WITH(open_instruction_corpus(Data("stories"), encode, recipe), contains("there are no questions in stories"));
}

TEST_CASE("stories on request: the floor is exact, and what is held out is a combination that training leaves out") {
  const Tokenizer tokenizer(bytes_model({"<s>", "</s>"}));
  const InstructionEncoder encode(format("alpaca"), tokenizer, TokenId(257));
  Recipe recipe;
  recipe.training.batch = 4, recipe.training.positions = 1400, recipe.validation_tokens = 4000;
  Corpus corpus = open_instruction_corpus(Data("requests", 5), encode, recipe);
  const Grammar grammar = Grammar::load(data_folder() / "stories" / "requests.grammar");
  const RequestSource source(grammar);
  double bits = 0, bytes = 0;
  for (std::uint64_t i = 0; bytes < corpus.validation.bytes; ++i) {
    Random random(5 * 0x9E3779B97F4A7C15u + (std::uint64_t{1} << 63) + i);
    const RequestedStory drawn = source.draw(random, Combinations::held_out);
    bits -= drawn.log2_probability;
    bytes += double(drawn.story.text.size() + 1);
  }
  REQUIRE(corpus.validation.floor);
  CHECK(corpus.validation.bytes == bytes);
  CHECK(difference(*corpus.validation.floor, bits / bytes, 1e-12) == "");
  CHECK(corpus.validation.targets == size_t(bytes));  // of a tokenizer of bytes
  CHECK(difference(corpus.validation.bits_per_byte(std::log(2.0)), 1, 1e-12) == "");
  recipe.training.positions = 300;
  CHECK_THROWS_WITH(open_instruction_corpus(Data("requests", 5), encode, recipe), contains("a story on request has"));
}

TEST_CASE("a fine-tuned model's folder tells the format that it was trained in") {
  const Model model = chat_model();
  const TemporaryFolder folder;
  const ModelView view(model);
  const ChatTemplateSource source = instruction_format(folder.path(), view);  // it brings none
  CHECK(source.text == find_chat_format("alpaca")->source);
  const InstructionEncoder encode(source, *model.tokenizer, TokenId(257));
  std::ofstream(folder / "data") << R"({"instruction": "q", "output": "a"})" << '\n'
                                 << R"({"instruction": "r", "output": "b"})" << '\n';
  Recipe recipe;
  recipe.training = shape(1, 512);
  Corpus corpus = open_instruction_corpus(Data((folder / "data").string()), encode, recipe);
  ThreadPool pool(1);
  Pretraining training(with_format(whole_model(model.config, model.weights, *model.tokenizer), encode), corpus, recipe,
                       pool);
  const std::filesystem::path out = folder / "out";
  std::filesystem::create_directories(out);
  training.write_description(out);
  const ChatTemplateSource again = instruction_format(out, view);
  CHECK(again.text == source.text);
  CHECK(again.begin_token == "<s>");
  CHECK(again.end_token == "</s>");
  const std::vector<Message> question = {{"user", "q"}};
  CHECK(InstructionEncoder(again, *model.tokenizer, TokenId(257)).prompt(question) == encode.prompt(question));
}
