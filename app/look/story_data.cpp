#include "app/look/story_data.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "app/look/next_data.hpp"
#include "lib/base/file.hpp"
#include "lib/simd/primitives.hpp"

namespace cria::look {
namespace {

using nlohmann::json;

constexpr size_t most_ways = 20000;  // to look at behind one position

/// The text but for its last piece, which may still become another one by what comes next.
std::string_view decided(const Tokenizer& tokenizer, std::string_view text) {
  size_t last = 0;
  for_each_piece(tokenizer.model().pattern, text,
                 [&](std::string_view piece) { last = size_t(piece.data() - text.data()); });
  return text.substr(0, last);
}

/// `follows` is negative behind the last token.
json position_data(const std::map<TokenId, double>& next, std::span<const real> logits, TokenId follows,
                   std::set<TokenId>& shown) {
  std::vector<real> model(logits.begin(), logits.end());
  const double log_sum_exp = simd::softmax(model.data(), model.size());
  std::vector<std::pair<double, TokenId>> sorted;
  double entropy = 0, divergence = 0;
  for (const auto& [id, p] : next) {
    sorted.push_back({-p, id});
    entropy -= p * std::log2(p);
    divergence += p * (std::log2(p) - (double(logits[size_t(id)]) - log_sum_exp) / std::log(2.0));
  }
  std::ranges::sort(sorted);
  json top = json::array();
  for (size_t i = 0; i < std::min(most_top, sorted.size()); ++i) {
    top.push_back({sorted[i].second, -sorted[i].first});
    shown.insert(sorted[i].second);
  }
  const auto found = next.find(follows);
  return {{"top", std::move(top)},
          {"next", follows >= 0 ? json(found == next.end() ? 0.0 : found->second) : json(nullptr)},
          {"entropy", entropy},
          {"divergence", divergence}};
}

}  // namespace

std::map<TokenId, double> story_next(const Parser& parser, const Tokenizer& tokenizer, std::string_view text,
                                     const std::vector<TokenId>& tokens, TokenId end) {
  std::map<TokenId, double> next;
  double all = 0;
  const auto add = [&](const std::vector<TokenId>& of_story, TokenId then, double p) {
    if (of_story.size() < tokens.size() || !std::equal(tokens.begin(), tokens.end(), of_story.begin())) return;
    next[of_story.size() > tokens.size() ? of_story[tokens.size()] : then] += p;
    all += p;
  };
  // What is not decided yet, with the probability of stories that begin so.
  std::map<std::string, double> open = {{std::string(text), 0.0}};
  for (size_t ways = 0; !open.empty(); open.erase(open.begin())) {
    const std::string beginning = open.begin()->first;
    if (++ways > most_ways) return {};
    for (const StoryWay& way : parser.ways_on(beginning)) {
      const double p = std::exp2(way.log2_probability);
      if (way.text.empty()) {
        add(tokenizer.encode(beginning), end, p);
        continue;
      }
      const std::string longer = beginning + way.text;
      const std::vector<TokenId> of_story = tokenizer.encode(decided(tokenizer, longer));
      if (of_story.size() > tokens.size())
        add(of_story, end, p);
      else
        open[longer] += p;
    }
  }
  for (auto& [id, p] : next) p /= all;
  return next;
}

json story_data(const Passage& passage, const Tokenizer& tokenizer, const ModelConfig& config,
                std::set<TokenId>& shown) {
  if (!config.begin_of_text || config.end_of_text.empty()) return nullptr;
  const std::filesystem::path file = data_folder() / "stories" / "stories.grammar";
  if (!std::filesystem::exists(file)) return nullptr;
  const Grammar grammar = Grammar::load(file);
  const Parser parser(grammar);
  json positions = json::array();
  bool any = false;
  for (size_t t = 0; t < passage.size(); ++t) {
    passage.ask();
    const std::vector<TokenId> tokens(passage.tokens().begin() + 1, passage.tokens().begin() + std::ptrdiff_t(t) + 1);
    const auto next = story_next(parser, tokenizer, tokenizer.decode(tokens), tokens, config.end_of_text[0]);
    if (next.empty() && t > 0) {  // nor does a story begin with more of it
      positions.push_back(nullptr);
      continue;
    }
    any = any || t > 0;
    const TokenId follows = t + 1 < passage.size() ? passage.tokens()[t + 1] : -1;
    positions.push_back(position_data(next, passage.logits().rows(t, t + 1).span(), follows, shown));
  }
  return any ? positions : json(nullptr);
}

}  // namespace cria::look
