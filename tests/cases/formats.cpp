// Blocks of numbers and the numbers that they stand for, what samplers leave of a distribution, and plain texts.
#include <algorithm>
#include <cmath>
#include <set>

#include "chapters/01-bpe/tokenizer.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/element_type.hpp"
#include "lib/formats/npy.hpp"
#include "tests/cases/case.hpp"
#include "tests/chapters/logits.hpp"
#include "tests/testing.hpp"

namespace cria::testing {

void check_blocks(const Case& c) {
  const nlohmann::json types = c.json("types.json");
  size_t found = 0;
  for (int i = int(ElementType::f16); i <= int(ElementType::iq4_xs); ++i) {
    const auto type = static_cast<ElementType>(i);
    const std::string name(type_layout(type).name);
    if (!types.contains(name)) continue;
    INFO(name);
    CHECK(types[name]["block_values"] == type_layout(type).numbers);
    CHECK(types[name]["block_bytes"] == type_layout(type).bytes);
    const std::string bytes = read_file(c / (name + ".bin"));
    const NpyArray expected = read_npy(c / (name + ".npy"));
    std::vector<double> values(expected.values.size());
    REQUIRE(tensor_bytes(expected.shape, type) == bytes.size());
    convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), std::span(values));
    double largest = 0;
    for (const double value : expected.values) largest = std::max(largest, std::abs(value));
    // A product and a sum may be rounded once here, twice there.
    CHECK(difference(values, expected.values, largest * 0x1p-24) == "");
    ++found;
  }
  CHECK(found == types.size());  // none is left out
}

bool has_sampler_tests(const Case& c) {
  return std::ranges::any_of(c.files, [&](const std::string& file) {
    if (!file.ends_with(".json")) return false;
    const nlohmann::json json = c.json(file);
    return json.contains("cases") && json["cases"].is_array() && json["cases"].at(0).contains("probs");
  });
}

namespace {

/// Whether cria has the sampler that a test is of; then its options.
bool read_sampler(const nlohmann::json& entry, SamplingOptions& options) {
  const std::string test = entry.at("test");
  if (test == "temp")
    options.temperature = entry.at("temp");
  else if (test == "top_k")
    options.top_k = entry.at("k");
  else if (test == "top_p")
    options.top_p = entry.at("p");
  else if (test == "min_p")
    options.min_p = entry.at("p");
  else if (test == "penalties" && entry.at("alpha_presence") == 0)
    options.repetition_penalty = entry.at("repeat_penalty");
  else
    return false;
  return true;
}

}  // namespace

void check_sampler_tests(const Case& c) {
  std::set<std::string> left_out;
  for (const std::string& file : c.files) {
    const nlohmann::json json = c.json(file);
    for (const auto& entry : json.at("cases")) {
      INFO(entry.dump());
      SamplingOptions options;
      if (!read_sampler(entry, options)) {
        left_out.insert(entry.at("test").get<std::string>());
        continue;
      }
      std::vector<real> logits;
      for (const double p : entry.at("probs")) logits.push_back(static_cast<real>(std::log(p)));
      if (options.top_p == 0 || options.min_p > 1) {
        CHECK_THROWS_AS(Sampler(options, logits.size()), UserError);  // llama.cpp takes them as "the largest only"
        continue;
      }
      // 0.4 + 0.3 reaches 0.7 or just misses it, as the rounding falls; both are meant to count as reached.
      if (options.top_p < 1) options.top_p -= 1e-6;
      auto actual = distribution(options, logits, entry.value("last_tokens", std::vector<std::int32_t>{}));
      auto expected = entry.at("expected").get<std::vector<double>>();  // only what is left, sorted or not
      expected.resize(actual.size());
      std::ranges::sort(actual);
      std::ranges::sort(expected);
      CHECK(difference(actual, expected, 1e-5) == "");  // printed with five digits
    }
  }
  // Samplers that cria does not have, and penalties by count.
  CHECK(left_out == std::set<std::string>{"penalties", "top_n_sigma", "typical", "xtc"});
}

bool has_texts(const Case& c) {
  return std::ranges::all_of(c.files,
                             [](const std::string& file) { return file.ends_with(".txt") || file.ends_with(".en"); });
}

void check_texts(const Case& c) {
  for (const std::string& file : c.files) {
    INFO(file);
    const std::string text = read_file(c / file);
    std::set<std::string> characters;
    for (size_t at = 0; at < text.size();) {
      const size_t size = character_at(text, at).size;
      characters.insert(text.substr(at, size));
      at += size;
    }
    const Tokenizer of_bytes(bytes_model({})), of_characters(characters_model(text, {}));
    CHECK(of_characters.vocabulary_size() == characters.size());
    CHECK(of_bytes.encode(text).size() == text.size());
    CHECK(of_bytes.decode(of_bytes.encode(text)) == text);
    CHECK(of_characters.decode(of_characters.encode(text)) == text);
  }
}

}  // namespace cria::testing
