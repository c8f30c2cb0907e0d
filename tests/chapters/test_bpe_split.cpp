// The split patterns: known splits, and the published regular expressions run by PCRE2 as the oracle.
#include "chapters/01-bpe/split.hpp"

#include <vector>

#include "chapters/01-bpe/documents.hpp"
#include "chapters/01-bpe/special_tokens.hpp"
#include "chapters/01-bpe/word_counts.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/bpe_texts.hpp"
#include "tests/testing.hpp"

#ifdef CRIA_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

using namespace cria;

namespace {

using Pieces = std::vector<std::string>;

constexpr SplitPattern patterns_with_pieces[] = {SplitPattern::gpt2,  SplitPattern::smollm, SplitPattern::llama3,
                                                 SplitPattern::qwen2, SplitPattern::cl100k, SplitPattern::llama_cpp};

Pieces split(SplitPattern pattern, std::string_view text) {
  Pieces pieces;
  for_each_piece(pattern, text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

#ifdef CRIA_PCRE2
class Oracle {
 public:
  explicit Oracle(std::string regex) {
    // PCRE2's \s is not quite Unicode's White_Space, which is what Rust's and Oniguruma's \s is.
    const auto replace = [&](const std::string& from, const std::string& to) {
      for (std::size_t at = 0; (at = regex.find(from, at)) != std::string::npos; at += to.size())
        regex.replace(at, from.size(), to);
    };
    replace("\\s", "\\p{White_Space}");
    replace("\\S", "\\P{White_Space}");
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.c_str()), regex.size(), PCRE2_UTF | PCRE2_UCP, &error,
                          &offset, nullptr);
    REQUIRE(code_ != nullptr);
    pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE);
    match_ = pcre2_match_data_create_from_pattern(code_, nullptr);
  }
  ~Oracle() { pcre2_match_data_free(match_), pcre2_code_free(code_); }

  /// False where the pattern does not match at the start of the text.
  bool matches(const std::string& text) {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, PCRE2_ANCHORED, match_,
                       nullptr) > 0;
  }
  Pieces split(const std::string& text) {
    Pieces pieces;
    for (std::size_t at = 0; at < text.size(); at += pieces.back().size()) {
      const int found =
          pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at, 0, match_, nullptr);
      REQUIRE(found > 0);
      const PCRE2_SIZE* span = pcre2_get_ovector_pointer(match_);
      REQUIRE(span[0] == at);
      pieces.push_back(text.substr(at, span[1] - at));
    }
    return pieces;
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_data* match_ = nullptr;
};
#endif

}  // namespace

TEST_CASE("Llama 3's pattern splits an example as worked by hand") {
  CHECK(split(SplitPattern::llama3, "I'LL pay $1234.50,\n\n  don't  wait") ==
        Pieces{"I", "'LL", " pay", " $", "123", "4", ".", "50", ",\n\n", " ", " don", "'t", " ", " wait"});
  CHECK(split(SplitPattern::llama3, "tab\tword \n x\n") == Pieces{"tab", "\tword", " \n", " x", "\n"});
}

TEST_CASE("llama.cpp's default splits an example as worked by hand") {
  CHECK(split(SplitPattern::llama_cpp, "I'LL pay $1234.50,\n\n  don't  wait") ==
        Pieces{"I", "'", "LL", " pay", " ", "$", "123", "4", ".", "50", ",", "\n\n ", " don", "'", "t", " ", " wait"});
  CHECK(split(SplitPattern::llama_cpp, "a  `b` ½1234 !  ") ==
        Pieces{"a", " ", " `", "b", "`", " ", "½", "123", "4", " ", "!", "  "});
}

TEST_CASE("GPT-2's pattern splits an example as worked by hand") {
  CHECK(split(SplitPattern::gpt2, "I'LL pay $1234.50,\n\n  don't  wait") ==
        Pieces{"I", "'", "LL", " pay", " $", "1234", ".", "50", ",", "\n\n ", " don", "'t", " ", " wait"});
}

TEST_CASE("SmolLM's, Qwen2's and cl100k's patterns differ from those two in digits and in spaces at the end") {
  CHECK(split(SplitPattern::smollm, "in  1234, I'll \n") ==
        Pieces{"in", "  ", "1", "2", "3", "4", ",", " I", "'ll", " \n"});
  CHECK(split(SplitPattern::qwen2, "in  1234, I'LL \n ") ==
        Pieces{"in", " ", " ", "1", "2", "3", "4", ",", " I", "'LL", " \n", " "});
  CHECK(split(SplitPattern::cl100k, "in  1234, I'LL \n ") ==
        Pieces{"in", " ", " ", "123", "4", ",", " I", "'LL", " \n "});
}

TEST_CASE("other spellings of a pattern's expression are known") {
  for (SplitPattern pattern : patterns_with_pieces) CHECK(split_pattern_of(split_regex(pattern)) == pattern);
  CHECK(split_pattern_of(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)") ==
        SplitPattern::gpt2);
  CHECK(!split_pattern_of("\\w+"));
  // tiktoken's own spelling of cl100k: {1,3}+ is possessive there, and any number of digits in Hugging Face's engine.
  CHECK(!split_pattern_of(R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+|)"
                          R"( ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)"));
  CHECK(!split_pattern_of(""));
}

TEST_CASE("without a pattern the text is one piece") {
  CHECK(split(SplitPattern::none, "one piece, whatever it holds") == Pieces{"one piece, whatever it holds"});
  CHECK(split(SplitPattern::none, "").empty());
}

TEST_CASE("bytes that are not UTF-8 count as symbols, and the pieces are always the whole text") {
  CHECK(split(SplitPattern::llama3, "ab\xFF\xFE cd\xE4\xB8") == Pieces{"ab", "\xFF\xFE", " cd", "\xE4\xB8"});
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = testing::random_bytes(300, seed);
    for (SplitPattern pattern : patterns_with_pieces) {
      std::string joined;
      for (const std::string& piece : split(pattern, text)) {
        REQUIRE(!piece.empty());
        joined += piece;
      }
      REQUIRE(joined == text);
    }
  }
}

TEST_CASE("the scanners split random Unicode text as PCRE2 does with the published expressions") {
#ifdef CRIA_PCRE2
  Oracle unassigned("\\p{Cn}");  // in PCRE2's version of Unicode; utf8proc's may be newer
  for (SplitPattern pattern : patterns_with_pieces) {
    Oracle oracle{std::string(split_regex(pattern))};
    std::size_t compared = 0;
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
      std::string text;
      for (const std::string& character : testing::random_characters(60, seed))
        if (!unassigned.matches(character)) text += character;
      REQUIRE(split(pattern, text) == oracle.split(text));
      compared += text.size();
    }
    CHECK(compared > 200'000);
  }
#else
  testing::skip_test("PCRE2 was not found when this was configured (Debian: libpcre2-dev)");
#endif
}

TEST_CASE("every assigned character has PCRE2's class") {
#ifdef CRIA_PCRE2
  const SplitPattern pattern = GENERATE(SplitPattern::gpt2, SplitPattern::smollm, SplitPattern::llama3);
  Oracle oracle{std::string(split_regex(pattern))}, unassigned("\\p{Cn}");
  for (std::int32_t code_point = 1; code_point < 0x110000; ++code_point) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;  // surrogates
    const std::string character = testing::utf8(code_point);
    if (unassigned.matches(character)) continue;
    const std::string text = "a" + character + "1" + character + character + "!'" + character + "e " + character;
    if (split(pattern, text) != oracle.split(text)) FAIL_CHECK("U+" << std::hex << code_point);
  }
#else
  testing::skip_test("PCRE2 was not found when this was configured (Debian: libpcre2-dev)");
#endif
}

TEST_CASE("a safe border is one whatever stands around it") {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const std::string text = testing::random_text(80, seed);
    const std::size_t border = last_safe_border(text, text.size());
    if (border == 0) continue;
    for (SplitPattern pattern : patterns_with_pieces) {
      Pieces parts = split(pattern, std::string_view(text).substr(0, border));
      for (const std::string& piece : split(pattern, std::string_view(text).substr(border))) parts.push_back(piece);
      REQUIRE(parts == split(pattern, text));
    }
  }
  CHECK(last_safe_border("one two three", 13) == 7);
  CHECK(last_safe_border("one two three", 7) == 3);
  CHECK(last_safe_border("none  ", 4) == 0);
}

TEST_CASE("words counted in a file chunk by chunk are those of the whole text") {
  const testing::TemporaryFolder folder;
  const SpecialTokens specials({"<|end|>", "<|a b|>", "<|end|>+"});
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::string text;
    for (std::uint64_t part = 0; part < 30; ++part) {
      text += testing::random_text(40, 1000 * seed + part);
      text += part % 3 == 0 ? "<|end|>" : part % 3 == 1 ? " x<|a b|>" : "+";
      text += part % 5 == 0 ? "" : part % 5 == 1 ? "\n . -- .\n" : part % 5 == 2 ? "\r\n . -- .\r\n" : " . -- .";
    }
    write_file_atomically(folder / "text", text);
    const SplitPattern patterns[] = {SplitPattern::gpt2, SplitPattern::llama3, SplitPattern::none};
    for (const WordBorders& borders :
         {WordBorders{patterns[seed % 3], specials, ""}, WordBorders{patterns[seed % 3], specials, " . -- ."}}) {
      WordCounts whole;
      count_words(text, borders, whole);
      for (std::size_t chunk : {64, 100, 1000, 100000}) {
        const WordCounts streamed = count_words_in_files({folder / "text"}, borders, chunk);
        REQUIRE(streamed.counts == whole.counts);
        for (std::size_t i = 0; i < whole.words.size(); ++i) REQUIRE(streamed.words[i] == whole.words[i]);
      }
    }
  }
}

TEST_CASE("a text without any safe border is counted in bounded memory") {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "text", std::string(5000, 'x'));
  const WordCounts counts = count_words_in_files({folder / "text"}, {SplitPattern::llama3, {}, ""}, 100);
  REQUIRE(counts.words.size() == 2);
  CHECK(counts.words[0].size() == 1600);
  CHECK(counts.counts == std::vector<std::int64_t>{3, 1});
}

TEST_CASE("several files are counted together, and files without text refused") {
  const testing::TemporaryFolder folder;
  write_file_atomically(folder / "one", "a b");
  write_file_atomically(folder / "two", "a c");
  write_file_atomically(folder / "empty", "");
  write_file_atomically(folder / "separators", "--\n--\n");
  const WordBorders borders{SplitPattern::gpt2, {}, "--"};
  const WordCounts counts = count_words_in_files({folder / "one", folder / "two", folder / "empty"}, borders);
  CHECK(counts.words[0] == "a");
  CHECK(counts.counts == std::vector<std::int64_t>{2, 1, 1});
  CHECK_THROWS_WITH(count_words_in_files({folder / "empty"}, borders), testing::contains("empty is empty"));
  CHECK_THROWS_WITH(count_words_in_files({folder / "separators"}, borders), testing::contains("separators is empty"));
  CHECK_THROWS_WITH(count_words_in_files({folder / "absent"}, borders), testing::contains("cannot read"));
}

TEST_CASE("documents lose the line ends beside their separators, one on each side, and are not empty") {
  using Documents = std::vector<std::string_view>;
  CHECK(split_documents("a\n--\nb\n--\nc\n", "--") == Documents{"a", "b", "c\n"});
  CHECK(split_documents("a\r\n--\r\nb", "--") == Documents{"a", "b"});
  CHECK(split_documents("\na\n\n--\n\nb", "--") == Documents{"\na\n", "\nb"});  // only one
  CHECK(split_documents("a--b", "--") == Documents{"a", "b"});
  CHECK(split_documents("--\n--\n\n--a--", "--") == Documents{"a"});
  CHECK(split_documents("--\r\n--\r\n", "--").empty());
  CHECK(split_documents("a\nb\n\nc\n", "\n") == Documents{"a", "b", "c"});
  CHECK(split_documents("\n\n", "").size() == 1);
  CHECK(split_documents("", "--").empty());
}

TEST_CASE("no token is learned from a separator, nor across one") {
  BpeOptions how = testing::options(400, SplitPattern::llama3, {"<s>"});
  how.separator = "<|endoftext|>";
  std::string text;
  for (int i = 0; i < 50; ++i) text += "one two\n<|endoftext|>\n";
  const BpeModel model = train_bpe(text, how);
  std::vector<std::string> learned;
  for (std::size_t id = 256; id < model.vocabulary.size(); ++id) learned.emplace_back(model.vocabulary[id]);
  std::ranges::sort(learned);
  CHECK(learned == std::vector<std::string>{" two", "<s>", "on", "one", "two", "wo"});
}

TEST_CASE("an unknown pattern is refused with the known ones") {
  CHECK(split_pattern_from_name("gpt2") == SplitPattern::gpt2);
  CHECK_THROWS_WITH(split_pattern_from_name("gpt5"),
                    testing::contains("expected llama3, gpt2, none, smollm, qwen2, cl100k or llama-cpp"));
}
