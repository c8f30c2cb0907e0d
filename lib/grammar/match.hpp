// Matcher: one reading of one text against a grammar.
//
// It walks the grammar as generate() does, but where that draws one alternative it takes all that fit, and goes on from
// all places where they can end. Ends that can go on in the same way (same place, same rows drawn) are one from then
// on, and what a rule gives from a place is found once. So an ambiguous grammar costs no more than the number of its
// rules times that of the places in the text, squared; threads that fit with several rows multiply that, up to a limit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/grammar/parse.hpp"

namespace cria {

class Matcher {
 public:
  enum class Wanted { probability, reason, ways_on };

  Matcher(const Parser& parser, std::string_view text, Wanted wanted);

  /// Reads the whole text as what the symbol gives; several calls add up. Throws UserError when there are too many
  /// ways to begin.
  void run(const Symbol& symbol);

  size_t derivations() const { return derivations_; }
  double log2_probability() const { return log2_probability_; }
  /// Of one derivation, where there is any.
  const DrawnRows& rows() const { return drawn_[rows_]; }
  Mismatch mismatch() const;
  /// How stories go on that begin with the text.
  std::vector<StoryWay> ways_on() const { return more_; }

 private:
  /// A product of probabilities. Its factors are kept, so that those of a lone derivation are added in the order in
  /// which the generator adds them, and give the same bits.
  using Product = std::uint32_t;  // index into products_; 0: of nothing
  struct Factors {
    double log2_probability = 0;
    Product before = 0, last = 0;  // both 0: a single factor
  };

  /// A place that part of the grammar can be read up to, in so many ways.
  struct End {
    std::uint32_t position = 0;
    std::uint32_t drawn = 0;  // index into drawn_: the row of each thread
    bool capital = false;     // one is due
    size_t derivations = 1;
    Product probability = 0;

    std::uint64_t key() const { return (std::uint64_t(drawn) << 32 | position) << 1 | capital; }
  };
  struct Place {
    std::uint32_t rule;
    std::uint64_t key;
    bool operator==(const Place&) const = default;
  };
  struct PlaceHash {
    size_t operator()(const Place& at) const { return (at.key * 1009 + at.rule) * 0x9E3779B97F4A7C15u; }
  };
  using Ends = std::vector<End>;

  // Each adds the ends of what it reads from a place.
  void read(const Sequence& sequence, End at, Ends& ends);
  void read(const Symbol& symbol, End at, Ends& ends);
  void read_rule(std::uint32_t index, const End& from, Ends& ends);
  void read_alternatives(std::uint32_t index, const End& from, Ends& ends);
  void read_thread(const Symbol& symbol, const End& from, Ends& ends);
  bool possible(const Parser::First& first, const End& from) const;
  bool match(std::string_view literal, End& at, const Symbol* recalled);
  /// Whether the text has come to its end, and a literal goes on behind it: nothing more is read then.
  bool goes_on(const End& at) const { return at.position > text_.size(); }
  void go_on(End& at, std::string more);
  void add_way_on(End end);
  void count_ways(size_t more);
  void merge(Ends& ends);
  Ends take_spare();
  std::uint32_t draw(std::uint32_t drawn, std::uint32_t thread, const Row* row);

  Product factor(double log2_probability);
  Product product(Product before, Product last);
  double in_order(Product product) const;

  void note(size_t begin, size_t same, std::string_view literal, const Symbol* recalled);

  const Parser& parser_;
  const Grammar& grammar_;
  const std::string_view text_;
  const Wanted wanted_;

  std::vector<DrawnRows> drawn_;
  std::map<DrawnRows, std::uint32_t> drawn_index_;
  std::unordered_map<Place, Ends, PlaceHash> known_;  // what rules give from places, with one way to be there
  std::vector<Factors> products_{{}};
  std::vector<Ends> spare_;
  size_t ways_ = 0;

  size_t derivations_ = 0;
  std::uint32_t rows_ = 0;  // index into drawn_
  double log2_probability_ = 0;
  size_t furthest_ = 0;
  std::vector<std::string> expected_;
  std::vector<StoryWay> more_;
  std::map<std::string, std::uint32_t> more_index_;
};

}  // namespace cria
