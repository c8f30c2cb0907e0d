// BPE training. In words: take the most frequent pair of neighbouring tokens, make it one token everywhere, repeat.
//
// Counting all pairs again after every merge would cost (words x merges). Here every pair has a list of the places
// where it stands, so a merge touches these places only. Each place touched shortens the text by one symbol, so all
// merges together touch no more places than the text has symbols; a heap finds the most frequent pair.
#include "chapters/01-bpe/train.hpp"

#include <queue>
#include <span>

#include "chapters/01-bpe/pair_map.hpp"
#include "chapters/01-bpe/sentencepiece.hpp"
#include "lib/base/arena.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Index = std::uint32_t;
constexpr Index none = static_cast<Index>(-1);

/// One place in the text: first a byte, later a longer token. Its word is a chain of symbols; and all symbols at which
/// the same pair begins form a second chain, in the order of the text.
struct Symbol {
  TokenId token;
  Index word;
  Index previous, next;                // in the word
  Index pair = none;                   // that it forms with the next symbol
  Index earlier = none, later = none;  // symbols with the same pair
};

struct Pair {
  TokenId left, right;
  std::int64_t count = 0;           // over all words, each as often as it was met
  Index first = none, last = none;  // symbols
};

class Trainer {
 public:
  Trainer(const WordCounts& words, Ties ties, BpeModel& model, const MayJoin& may_join)
      : words_(words), ties_(ties), model_(model), may_join_(may_join) {
    if (words.words.total_bytes() >= none) throw UserError("the words of this text are longer than 4 GB together");
    memory_ = Arena<Symbol>(words.words.total_bytes());
    const std::span<Symbol> places = memory_.take(Shape<1>{words.words.total_bytes()}).span();
    const bool of_bytes = model.alphabet == Alphabet::bytes;
    Index end = 0;
    for (Index word = 0; word < words.words.size(); ++word) {
      const std::string_view bytes = words.words[word];
      const Index begin = end;
      for (std::size_t at = 0, size; at < bytes.size(); at += size, ++end) {
        size = of_bytes ? 1 : character_at(bytes, at).size;
        const auto token = of_bytes ? static_cast<unsigned char>(bytes[at])
                                    : static_cast<TokenId>(model.vocabulary.find(bytes.substr(at, size)));  // npos: -1
        places[end] = {.token = token,
                       .word = word,
                       .previous = end == begin ? none : end - 1,
                       .next = at + size == bytes.size() ? none : end + 1};
      }
    }
    symbols_ = places.first(end);
    for (Index at = 0; at < symbols_.size(); ++at) enter(at);
    offer_pairs(0);
  }

  /// Merges the most frequent pair, unless there is none.
  bool merge_next() {
    // solution: merge_next
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      const Pair& pair = pairs_[best.pair];
      if (pair.count == 0) continue;  // merges with other neighbours have used it up
      if (pair.count != best.count) {
        offer(best.pair);  // it has fewer places now, so others may come first
        continue;
      }
      merge(best.pair);
      return true;
    }
    return false;
    // end of solution
  }

 private:
  void merge(Index index) {
    const TokenId left = pairs_[index].left, right = pairs_[index].right;
    if (model_.alphabet == Alphabet::characters && is_token(index)) return;
    // solution: merge_pair
    const std::string bytes = std::string(model_.vocabulary[left]).append(model_.vocabulary[right]);
    const auto token = static_cast<TokenId>(model_.vocabulary.insert(bytes));
    model_.merges.push_back({left, right, token});

    const std::size_t known_pairs = pairs_.size();
    // "before, at, after, next" becomes "before, at, next": three pairs end here and two begin. Places are taken from
    // the left, so "aaa" becomes "aa, a".
    while (pairs_[index].first != none) {
      const Index at = pairs_[index].first, before = symbols_[at].previous, after = symbols_[at].next;
      leave(at), leave(after), leave(before);
      symbols_[at].token = token;
      symbols_[at].next = symbols_[after].next;
      if (symbols_[at].next != none) symbols_[symbols_[at].next].previous = at;
      enter(at), enter(before);
    }
    offer_pairs(known_pairs);
    // end of solution
  }

  /// Adds the pair that begins at this symbol to its list.
  void enter(Index at) {
    if (at == none || symbols_[at].next == none) return;
    Symbol& symbol = symbols_[at];
    const TokenId right = symbols_[symbol.next].token;
    if (symbol.token < 0 || right < 0) return;  // a character that has no token
    symbol.pair = pair_index_.find_or_insert(symbol.token, right, static_cast<Index>(pairs_.size()));
    if (symbol.pair == pairs_.size()) pairs_.push_back({symbol.token, right});
    Pair& pair = pairs_[symbol.pair];
    pair.count += words_.counts[symbol.word];
    symbol.earlier = pair.last, symbol.later = none;
    (pair.last == none ? pair.first : symbols_[pair.last].later) = at;
    pair.last = at;
  }

  /// Takes the pair that begins at this symbol out of its list.
  void leave(Index at) {
    if (at == none || symbols_[at].pair == none) return;
    Symbol& symbol = symbols_[at];
    Pair& pair = pairs_[symbol.pair];
    pair.count -= words_.counts[symbol.word];
    (symbol.earlier == none ? pair.first : symbols_[symbol.earlier].later) = symbol.later;
    (symbol.later == none ? pair.last : symbols_[symbol.later].earlier) = symbol.earlier;
    symbol.pair = none;
  }

  // Counts only fall once a pair is complete (new pairs always hold the newest token), so a candidate is never too low.
  struct Candidate {
    std::int64_t count;
    Index pair, first;
  };
  void offer(Index pair) { candidates_.push({pairs_[pair].count, pair, pairs_[pair].first}); }
  void offer_pairs(std::size_t from) {
    for (Index pair = static_cast<Index>(from); pair < pairs_.size(); ++pair)
      if (!may_join_ || may_join_(left_bytes(pair), right_bytes(pair))) offer(pair);
  }
  std::string_view left_bytes(Index pair) const { return model_.vocabulary[pairs_[pair].left]; }
  std::string_view right_bytes(Index pair) const { return model_.vocabulary[pairs_[pair].right]; }
  std::string joined(Index pair) const { return std::string(left_bytes(pair)).append(right_bytes(pair)); }
  bool is_token(Index pair) const { return model_.vocabulary.find(joined(pair)) != ByteStrings::npos; }
  bool comes_later(const Candidate& a, const Candidate& b) const {
    if (ties_ == Ties::shortest && a.count == b.count)
      return is_longer_or_greater(with_written_blanks(joined(a.pair)), with_written_blanks(joined(b.pair)));
    // solution: comes_later
    if (a.count != b.count) return a.count < b.count;
    if (ties_ == Ties::first_met) return a.first > b.first;
    const Pair &p = pairs_[a.pair], &q = pairs_[b.pair];
    const int left = model_.vocabulary[p.left].compare(model_.vocabulary[q.left]);
    return left != 0 ? left < 0 : model_.vocabulary[p.right] < model_.vocabulary[q.right];
    // end of solution
  }
  static bool is_longer_or_greater(const std::string& a, const std::string& b) {
    const std::size_t of_a = count_characters(a), of_b = count_characters(b);
    return of_a != of_b ? of_a > of_b : a > b;
  }
  struct ComesLater {
    const Trainer* trainer;
    bool operator()(const Candidate& a, const Candidate& b) const { return trainer->comes_later(a, b); }
  };

  const WordCounts& words_;
  Ties ties_;
  BpeModel& model_;
  const MayJoin& may_join_;
  Arena<Symbol> memory_;  // in huge pages, as places of a pair lie far apart
  std::span<Symbol> symbols_;
  std::vector<Pair> pairs_;
  PairMap<Index> pair_index_;
  std::priority_queue<Candidate, std::vector<Candidate>, ComesLater> candidates_{ComesLater{this}};
};

}  // namespace

void learn_merges(const WordCounts& words, Ties ties, std::size_t count, BpeModel& model, const MayJoin& may_join) {
  Trainer trainer(words, ties, model, may_join);
  const std::size_t wanted = model.merges.size() + count;
  while (model.merges.size() < wanted && trainer.merge_next()) {
  }
}

BpeModel train_bpe(const WordCounts& words, const BpeOptions& options) {
  const std::size_t smallest = 256 + options.special_tokens.size();
  if (options.vocabulary_size < smallest)
    throw UserError("a vocabulary of " + std::to_string(options.vocabulary_size) + " is too small: the bytes and the " +
                    "special tokens alone are " + std::to_string(smallest));
  BpeModel model = bytes_model({});
  model.pattern = options.pattern;
  learn_merges(words, options.ties, options.vocabulary_size - smallest, model);
  add_special_tokens(model, options.special_tokens);
  return model;
}

BpeModel train_bpe(std::string_view text, const BpeOptions& options) {
  WordCounts words;
  count_words(text, options.borders(), words);
  return train_bpe(words, options);
}

BpeModel train_bpe_on_files(const std::vector<std::filesystem::path>& files, const BpeOptions& options) {
  return train_bpe(count_words_in_files(files, options.borders()), options);
}

}  // namespace cria
