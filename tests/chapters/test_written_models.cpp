// Models that cria writes, as GGUF files and as folders: what comes back, and what is refused.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <list>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/12-open-weights/gguf_model.hpp"
#include "chapters/12-open-weights/grouped_heads.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "chapters/12-open-weights/named_scaling.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/12-open-weights/save_folder.hpp"
#include "chapters/12-open-weights/save_gguf.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/encode.hpp"
#include "lib/formats/gguf_write.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// Two blocks of 32 in a row, but for those of `down`, which are no whole number of blocks.
LlamaConfig config_of(bool tied = false) {
  LlamaConfig c;
  c.vocabulary_size = 260, c.dim = 64, c.hidden_dim = 48, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 16;
  c.context = 32, c.rope_theta = 12345, c.norm_eps = 1e-5, c.tied_embeddings = tied;
  return c;
}

BpeModel bytes_in_words() {
  BpeModel model = bytes_model({begin_of_text, end_of_text, "<|eot_id|>", "<|eom_id|>"});
  model.pattern = SplitPattern::llama3;
  return model;
}

// Of random numbers that `type` holds.
Model random_model(const LlamaConfig& c, ElementType type = ElementType::f32) {
  Model model{{c, 256, {257, 259, 258}}, LlamaParameters(c), std::make_unique<Tokenizer>(bytes_in_words())};
  Random random(7);
  model.weights.for_each([&](const std::string& name, const auto& view) {
    model.types[name] = type;
    for (real& value : view.span()) value = real(float(random.normal() / 8));
    std::string bytes;
    encode_elements(type, view.span(), bytes);
    convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), view.span());
  });
  return model;
}

std::vector<real> logits_of(const Model& model) {
  Decoder decoder(model.weights, 8, 8, 1);
  const std::vector<TokenId> prompt{256, 72, 105, 33};
  const auto logits = decoder.feed(prompt);
  return {logits.begin(), logits.end()};
}

void check_same_weights(const Model& actual, const Model& expected) {
  CHECK(actual.config.llama == expected.config.llama);
  CHECK(std::ranges::equal(actual.weights.flat(), expected.weights.flat()));
}

bool same_bytes(const std::filesystem::path& a, const std::filesystem::path& b) { return read_file(a) == read_file(b); }

Model through_gguf(const Model& model, std::optional<ElementType> type, const std::filesystem::path& file) {
  save_gguf(file, model, types_to_write(model, ModelForm::gguf, type));
  return open_model(file);
}

}  // namespace

TEST_CASE("a model of floats goes to GGUF and back with all its bits") {
  const auto type = GENERATE(ElementType::f32, ElementType::f16, ElementType::bf16);
  const bool tied = GENERATE(false, true);
  const TemporaryFolder folder;
  const Model model = random_model(config_of(tied), type);
  save_folder(folder / "a", model, types_to_write(model, ModelForm::folder, {}), "none");
  const Model read = open_model(folder / "a");
  check_same_weights(read, model);
  CHECK(read.types == model.types);

  const Model as_gguf = through_gguf(read, {}, folder / "b.gguf");
  check_same_weights(as_gguf, model);
  CHECK(as_gguf.types.at("model.layers.1.mlp.down_proj.weight") == type);
  CHECK(as_gguf.types.at("model.norm.weight") == ElementType::f32);
  CHECK(logits_of(as_gguf) == logits_of(model));

  save_folder(folder / "c", as_gguf, types_to_write(as_gguf, ModelForm::folder, {}), folder / "b.gguf");
  CHECK(same_bytes(folder / "c" / "model.safetensors", folder / "a" / "model.safetensors"));
  CHECK(read_file(folder / "c" / "config.json")
            .find(type == ElementType::f32   ? "\"float32\""
                  : type == ElementType::f16 ? "\"float16\""
                                             : "\"bfloat16\"") != std::string::npos);
  const Model back = open_model(folder / "c");
  CHECK(back.config.begin_of_text == model.config.begin_of_text);
  CHECK(std::ranges::is_permutation(back.config.end_of_text, model.config.end_of_text));
  CHECK(back.config.end_of_text.front() == 257);
  CHECK(back.tokenizer->encode("Hi! <|eot_id|>", SpecialText::parse) ==
        model.tokenizer->encode("Hi! <|eot_id|>", SpecialText::parse));
}

TEST_CASE("GGUF has the rows of query and key in pairs, each head by itself") {
  const TemporaryFolder folder;
  const Model model = random_model(config_of());
  through_gguf(model, {}, folder / "a.gguf");
  const GgufFile file(folder / "a.gguf");
  const size_t Dh = 16;
  const auto check = [&](const char* name, View<const real, 2> weight) {
    INFO(name);
    Array<real, 2> stored(weight.shape());
    file.copy_to(name, weight.shape(), view(stored).span());
    for (size_t row = 0; row < weight.shape()[0]; ++row) {
      const size_t head = row / Dh, place = row % Dh;  // channel i or i + Dh/2 of pair i
      const size_t in_gguf = head * Dh + (place < Dh / 2 ? 2 * place : 2 * (place - Dh / 2) + 1);
      REQUIRE(std::ranges::equal(view(stored)[in_gguf].span(), weight[row].span()));
    }
  };
  check("blk.1.attn_q.weight", model.weights.tensors().layers[1].query);
  check("blk.1.attn_k.weight", model.weights.tensors().layers[1].key);
}

TEST_CASE("blocks stay within half a step, and are the same when they are written again") {
  const auto type = GENERATE(ElementType::q8_0, ElementType::q4_0);
  const TemporaryFolder folder;
  const Model model = random_model(config_of());
  const Model read = through_gguf(model, type, folder / "a.gguf");
  read.weights.for_each([&](const std::string& name, const auto& view) {
    INFO(name);
    const bool in_blocks = view.shape().size() == 2 && view.shape().back() % 32 == 0;
    CHECK(read.types.at(name) == (in_blocks ? type : view.shape().size() == 2 ? ElementType::f16 : ElementType::f32));
  });
  // Blocks lie along rows, which turning rows leaves as they are.
  const auto check = [&](View<const real, 2> actual, View<const real, 2> expected) {
    for (size_t at = 0; at < actual.size(); at += 32) {
      double largest = 0, error = 0;
      for (size_t i = at; i < at + 32; ++i) {
        largest = std::max(largest, std::abs(double(expected.span()[i])));
        error = std::max(error, std::abs(double(actual.span()[i]) - expected.span()[i]));
      }
      // As in "a block holds the nearest codes".
      REQUIRE(error <= (type == ElementType::q8_0 ? 0.5 / 127 + 0x1p-11 : 1.0 / 8 + 0x1p-11) * largest);
      REQUIRE(error > 0);
    }
  };
  check(read.weights.tensors().layers[0].query, model.weights.tensors().layers[0].query);
  check(read.weights.tensors().layers[1].gate, model.weights.tensors().layers[1].gate);
  check(read.weights.tensors().embedding, model.weights.tensors().embedding);
  const Model again = through_gguf(read, {}, folder / "b.gguf");
  CHECK(same_bytes(folder / "b.gguf", folder / "a.gguf"));
  check_same_weights(again, read);
}

TEST_CASE("metadata of a GGUF file comes along, but for what the tensors decide") {
  const TemporaryFolder folder;
  Model model = random_model(config_of());
  save_gguf(folder / "a.gguf", model, types_to_write(model, ModelForm::gguf, {}), nullptr, "{{ 'a template' }}");
  {
    const GgufFile a(folder / "a.gguf");
    CHECK(a.find("general.file_type")->whole() == 0u);
    CHECK(a.find("tokenizer.chat_template")->text() == "{{ 'a template' }}");
    CHECK(a.find("tokenizer.ggml.eos_token_id")->whole() == 257u);
    CHECK(a.find("tokenizer.ggml.eom_token_id")->whole() == 259u);
    CHECK(a.find("tokenizer.ggml.eot_token_id")->whole() == 258u);
    CHECK(a.find("tokenizer.ggml.add_bos_token")->truth() == true);
  }
  // Another program's file: keys of its own, numbers in its own widths, its own order.
  GgufMetadata keys;
  keys.add("general.name", "mine");
  const GgufFile a(folder / "a.gguf");
  for (const auto& [key, value] : a.metadata())
    if (key != "general.quantization_version") keys.add(key, value);
  keys.add("general.alignment", std::uint32_t{32});
  keys.add("split.count", std::uint32_t{1});
  std::vector<TensorToWrite> tensors;
  std::list<std::vector<real>> values;
  for (const StoredTensor& tensor : a.tensors().all()) {
    std::vector<real>& copy = values.emplace_back(tensor.bytes.size() / sizeof(float));
    a.copy_to(tensor.name, tensor.shape, copy);
    tensors.push_back({tensor.name, tensor.shape, copy});
  }
  write_gguf(folder / "b.gguf", keys, tensors);

  Model grouped = open_model(folder / "b.gguf");
  grouped.weights = group_heads(grouped.weights, 1);
  grouped.config.llama = grouped.weights.config();
  const GgufFile b(folder / "b.gguf");
  save_gguf(folder / "c.gguf", grouped, types_to_write(grouped, ModelForm::gguf, ElementType::q8_0), &b);
  const GgufFile c(folder / "c.gguf");
  CHECK(c.find("general.name")->text() == "mine");
  CHECK(c.find("general.file_type")->whole() == 7u);
  CHECK(c.find("general.quantization_version")->whole() == 2u);
  CHECK(c.find("llama.attention.head_count_kv")->whole() == 1u);
  CHECK(c.find("tokenizer.chat_template")->text() == "{{ 'a template' }}");
  CHECK(c.find("split.count") == nullptr);
  CHECK(gguf_config(c).llama == grouped.config.llama);
  CHECK(find_chat_template(folder / "c.gguf", grouped)->text == "{{ 'a template' }}");

  save_folder(folder / "d", grouped, types_to_write(grouped, ModelForm::folder, {}), folder / "c.gguf");
  CHECK(find_chat_template(folder / "d", grouped)->text == "{{ 'a template' }}");
  CHECK(find_chat_template(folder / "d", grouped)->begin_token == "<|begin_of_text|>");
}

TEST_CASE("an embedding with rows to spare has tokens for them in GGUF") {
  const TemporaryFolder folder;
  LlamaConfig c = config_of();
  c.vocabulary_size = 264;
  const Model read = through_gguf(random_model(c), {}, folder / "a.gguf");
  CHECK(read.config.llama == c);
  CHECK(read.tokenizer->vocabulary_size() == 264);
  CHECK(read.tokenizer->piece(263) == "[PAD263]");
  CHECK(read.tokenizer->encode("[PAD263]").size() == 8);
}

TEST_CASE("RoPE's scaling of Llama 3.1 is in GGUF a divisor of each frequency") {
  const TemporaryFolder folder;
  LlamaConfig c = config_of();
  c.rope_scaling = {.kind = RopeScaling::Kind::llama3, .factor = 8, .original_context = 256};
  const Model model = random_model(c);
  const Model read = through_gguf(model, {}, folder / "a.gguf");
  REQUIRE(read.config.llama.rope_scaling.kind == RopeScaling::Kind::divisors);
  std::vector<double> expected(8), actual(8);
  for (auto* frequencies : {&expected, &actual}) rope_inverse_frequencies(c.rope_theta, *frequencies);
  rope_scale_frequencies(c.rope_scaling, expected);
  rope_scale_frequencies(read.config.llama.rope_scaling, actual);
  CHECK(difference(actual, expected, 0x1p-24) == "");  // divisors are floats, and frequencies at most 1
  check_same_weights(through_gguf(read, {}, folder / "b.gguf"), read);

  // config.json names it.
  CHECK(named_scaling(read.config.llama) == c.rope_scaling);
  save_folder(folder / "c", read, types_to_write(read, ModelForm::folder, {}), folder / "a.gguf");
  check_same_weights(open_model(folder / "c"), model);
  Model odd = random_model(c);
  odd.config.llama = read.config.llama;
  odd.config.llama.rope_scaling.divisors[3] *= 1.001f;
  CHECK_THROWS_WITH(save_folder(folder / "d", odd, odd.types, "none"), contains("divisors that are not those of"));
  CHECK(!std::filesystem::exists(folder / "d"));
}

TEST_CASE("a SentencePiece tokenizer goes to GGUF and back, from scores and from merges") {
  using Kind = SentencePieces::Kind;
  SentencePieces pieces;
  pieces.pieces = {{"<unk>", 0, Kind::unknown}, {"<s>", 0, Kind::control}, {"</s>", 0, Kind::control}};
  for (int byte = 0; byte < 256; ++byte) pieces.pieces.push_back({fmt::format("<0x{:02X}>", byte), 0, Kind::byte});
  float score = 0;
  for (const char* text : {"\u2581a", "ab", "\u2581ab", "bc", "\u2581abc", "a", "b", "c", "\u2581"})
    pieces.pieces.push_back({text, --score, Kind::normal});
  for (const char* text : {"\u2581\u2581", "\u2581\u2581\u2581", "\u2581\u2581\u2581\u2581"})
    pieces.pieces.push_back({text, -1e9f, Kind::normal});
  LlamaConfig c = config_of();
  c.vocabulary_size = 273;  // two rows to spare
  Model model = random_model(c);
  model.config = {c, 1, {1, 2}};  // llama2.c's ends
  model.tokenizer = std::make_unique<Tokenizer>(sentencepiece_model(pieces));
  const TemporaryFolder folder;
  const auto check = [&](const Model& read) {
    for (const char* text : {"abc ab", " a  bca", "x\u00e9 c", "", "a       b    "})
      CHECK(read.tokenizer->encode(text) == model.tokenizer->encode(text));
    CHECK(read.config.begin_of_text == 1);
    CHECK(read.config.end_of_text == std::vector<TokenId>{2, 1});
  };
  const Model as_gguf = through_gguf(model, {}, folder / "a.gguf");
  check(as_gguf);
  save_folder(folder / "b", as_gguf, types_to_write(as_gguf, ModelForm::folder, {}), folder / "a.gguf");
  const Model as_folder = open_model(folder / "b");
  check(as_folder);
  REQUIRE(as_folder.tokenizer->model().sentencepiece->scores.empty());
  check(through_gguf(as_folder, {}, folder / "c.gguf"));

  BpeModel other = as_folder.tokenizer->model();
  std::swap(other.merges.front(),
            other.merges[other.merges.size() - 2]);  // one pair of three blanks, before all others
  model.tokenizer = std::make_unique<Tokenizer>(other);
  CHECK_THROWS_WITH(through_gguf(model, {}, folder / "d.gguf"), contains("do not go by one score for each token"));
}

TEST_CASE("what GGUF cannot hold is refused, and nothing is left behind") {
  const TemporaryFolder folder;
  const auto refusal = [&](const Model& model, std::optional<ElementType> type = {}) -> std::string {
    try {
      through_gguf(model, type, folder / "a.gguf");
    } catch (const UserError& error) {
      CHECK(std::filesystem::is_empty(folder.path()));
      return error.what();
    }
    return "";
  };
  const auto with = [](auto change) {
    Model model = random_model(config_of());
    BpeModel tokenizer = bytes_in_words();
    change(model, tokenizer);
    model.tokenizer = std::make_unique<Tokenizer>(std::move(tokenizer));
    return model;
  };
  CHECK(refusal(with([](Model&, BpeModel& t) { t.alphabet = Alphabet::characters; })).starts_with("GGUF has no word"));
  CHECK(refusal(with([](Model&, BpeModel& t) { t.composes = true; })).starts_with("GGUF cannot say that"));
  CHECK(refusal(with([](Model&, BpeModel& t) { t.pattern = SplitPattern::cl100k; })) ==
        "GGUF has no name for a tokenizer with the split pattern cl100k");
  CHECK(refusal(with([](Model& m, BpeModel&) {
          m.config.end_of_text = {1, 2, 3};
        })) == "GGUF has no key for a further token that ends a text, 3");
  CHECK(refusal(random_model(config_of()), ElementType::q6_k) ==
        "a GGUF file cannot be written as Q6_K, expected F32, F16, BF16, Q8_0 or Q4_0");
  const Model large = with([](Model& m, BpeModel&) { m.weights.tensors().layers[1].up(3, 4) = 70000; });
  CHECK(refusal(large, ElementType::f16) ==
        "tensor \"blk.1.ffn_up.weight\" holds 70000, which cannot be written as F16");
  const Model odd =
      with([](Model& m, BpeModel&) { m.weights.tensors().layers[1].up(3, 4) = std::numeric_limits<real>::infinity(); });
  CHECK(refusal(odd, ElementType::q8_0) == "tensor \"blk.1.ffn_up.weight\" holds inf, which cannot be written as Q8_0");
  CHECK(refusal(large, ElementType::bf16) == "");
}

TEST_CASE("a piece that is looked up whole in GGUF must be one that merges make") {
  const TemporaryFolder folder;
  Model model = random_model(config_of());
  BpeModel tokenizer = bytes_in_words();
  tokenizer.vocabulary = {};
  for (int byte = 0; byte < 256; ++byte) tokenizer.vocabulary.insert(std::string(1, char(byte)));
  // "abc" is made of "a" and "bc", but "ab" is merged first.
  for (const char* token : {"ab", "bc", "abc", "<|end|>"}) tokenizer.vocabulary.insert(token);
  tokenizer.special_tokens = {259};
  tokenizer.merges = {{'a', 'b', 256}, {'b', 'c', 257}, {'a', 257, 258}};
  model.config = {model.config.llama, {}, {259}};
  model.tokenizer = std::make_unique<Tokenizer>(tokenizer);
  CHECK_THROWS_WITH(through_gguf(model, {}, folder / "a.gguf"), contains("a piece such as \"abc\" is merged"));
  tokenizer.ignore_merges = true;
  model.tokenizer = std::make_unique<Tokenizer>(tokenizer);
  CHECK(through_gguf(model, {}, folder / "a.gguf").tokenizer->encode("abc") == std::vector<TokenId>{258});
  tokenizer.pattern = SplitPattern::gpt2;
  model.tokenizer = std::make_unique<Tokenizer>(tokenizer);
  CHECK_THROWS_WITH(through_gguf(model, {}, folder / "a.gguf"), contains("a piece such as \"abc\" is merged"));
}

TEST_CASE("a folder takes its tokenizer, template and way to sample along as they are") {
  const TemporaryFolder folder;
  const Model model = random_model(config_of());
  const auto types = types_to_write(model, ModelForm::folder, ElementType::bf16);
  save_folder(folder / "a", model, types, "none");
  std::ofstream(folder / "a" / "generation_config.json") << R"({"temperature": 0.6, "eos_token_id": [257, 258]})";
  std::ofstream(folder / "a" / "chat_template.jinja") << "a template";
  std::ofstream(folder / "a" / "notes.txt") << "mine";
  save_folder(folder / "b", model, types, folder / "a");
  for (const char* name : {"generation_config.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja",
                           "config.json", "model.safetensors"})
    CHECK(same_bytes(folder / "b" / name, folder / "a" / name));
  CHECK(!std::filesystem::exists(folder / "b" / "notes.txt"));
}

TEST_CASE("heads of a group become their mean") {
  LlamaConfig c = config_of();
  c.heads = 4, c.kv_heads = 4;
  const Model model = random_model(c);
  const LlamaParameters grouped = group_heads(model.weights, 2);
  const auto &from = model.weights.tensors().layers[1], &to = grouped.tensors().layers[1];
  REQUIRE(to.key.shape() == Shape<2>{32, 64});
  for (const auto& [heads, means] : {std::pair(from.key, to.key), std::pair(from.value, to.value)})
    for (size_t row : {0, 15, 16, 31})  // of heads 0 and 1
      for (size_t column : {0, 63}) {
        const size_t group = row / 16, channel = row % 16;
        const double expected =
            (double(heads(32 * group + channel, column)) + heads(32 * group + 16 + channel, column)) / 2;
        CHECK(difference(means(row, column), expected, epsilon) == "");
      }
  CHECK(difference(to.query, from.query, 0) == "");
  CHECK(grouped.config().kv_heads == 2);
  CHECK_THROWS_WITH(group_heads(model.weights, 3), "3 key and value heads cannot be made of 4, expected a divisor");
  CHECK_THROWS_AS(group_heads(model.weights, 0), UserError);
}

TEST_CASE("grouping heads that are alike changes nothing") {
  LlamaConfig many = config_of(true);
  many.kv_heads = 4;
  const Model few = random_model(config_of(true));
  Model model{few.config, LlamaParameters(many), nullptr};
  std::ranges::copy(few.weights.tensors().embedding.span(), model.weights.tensors().embedding.span().begin());
  for (size_t i = 0; i < 2; ++i) {
    const auto &from = few.weights.tensors().layers[i], &to = model.weights.tensors().layers[i];
    for (size_t head = 0; head < 4; ++head)
      for (size_t row = 0; row < 16; ++row) {
        std::ranges::copy(from.key[head / 2 * 16 + row].span(), to.key[head * 16 + row].span().begin());
        std::ranges::copy(from.value[head / 2 * 16 + row].span(), to.value[head * 16 + row].span().begin());
      }
    const auto copy = [](const auto& a, const auto& b) { std::ranges::copy(a.span(), b.span().begin()); };
    copy(from.query, to.query), copy(from.output, to.output), copy(from.attention_norm, to.attention_norm);
    copy(from.feed_forward_norm, to.feed_forward_norm), copy(from.gate, to.gate), copy(from.up, to.up);
    copy(from.down, to.down);
  }
  std::ranges::copy(few.weights.tensors().norm.span(), model.weights.tensors().norm.span().begin());
  // Half of twice a number.
  CHECK(difference(group_heads(model.weights, 2).flat(), few.weights.flat(), 0) == "");
  CHECK(logits_of(model) == logits_of(few));
}
