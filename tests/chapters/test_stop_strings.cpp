#include "chapters/09-sampling/stop_strings.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// What is shown of the text when it comes in pieces of these lengths, the last one again and again.
std::string shown(const std::vector<std::string>& stops, std::string_view text, const std::vector<size_t>& lengths) {
  StopStrings stream(stops);
  std::string out;
  for (size_t i = 0; !text.empty(); ++i) {
    const size_t length = std::min(lengths[std::min(i, lengths.size() - 1)], text.size());
    out += stream.push(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out += stream.finish();
}

// The text before the longest stop string that ends where the first of them ends.
std::string expected_text(const std::vector<std::string>& stops, const std::string& text) {
  for (size_t end = 1; end <= text.size(); ++end) {
    size_t begin = end;
    for (const std::string& stop : stops)
      if (std::string_view(text).substr(0, end).ends_with(stop)) begin = std::min(begin, end - stop.size());
    if (begin < end) return text.substr(0, begin);
  }
  return text;
}

}  // namespace

TEST_CASE("text is held back exactly as long as it may begin a stop string") {
  StopStrings stream({"END", "<|eot|>"});
  CHECK(stream.push("The E") == "The ");
  CHECK(stream.push("N") == "");
  CHECK(stream.push("EN") == "EN");  // "ENE": only the new "EN" may still become END
  CHECK(stream.push("x <|") == "ENx ");
  CHECK(stream.push("eot") == "");
  CHECK_FALSE(stream.stopped());
  CHECK(stream.push("|> more") == "");
  CHECK(stream.stopped());
  CHECK(stream.push("more") == "");
  CHECK(stream.finish() == "");
}

TEST_CASE("what is held back is shown when the stream ends without the stop string") {
  StopStrings stream({"END"});
  CHECK(stream.push("the EN") == "the ");
  CHECK(stream.finish() == "EN");
}

TEST_CASE("a character is shown whole, and bytes that are no UTF-8 pass") {
  StopStrings stream;
  CHECK(stream.push("h\xC3") == "h");
  CHECK(stream.push("\xA9\xF0\x9F") == "\xC3\xA9");  // é, then half of a llama
  CHECK(stream.push("\xA6") == "");
  CHECK(stream.push("\x99") == "\xF0\x9F\xA6\x99");
  CHECK(stream.push("\x80\xFF") == "\x80\xFF");
  CHECK(stream.push("\xE2x") == "\xE2x");
  CHECK(stream.push("\xE2") == "");
  CHECK(stream.finish() == "\xE2");
  CHECK(complete_utf8_length("ab\xE2\x82") == 2);
  CHECK(complete_utf8_length("ab\xE2\x82\xAC") == 5);
  CHECK(complete_utf8_length("\x80\x80\x80\x80") == 4);
  CHECK(complete_utf8_length("") == 0);
}

TEST_CASE("of several stop strings the one that is complete first counts") {
  for (const size_t length : {1, 2, 9}) {
    CHECK(shown({"abcd", "bc"}, "xabcdx", {length}) == "xa");
    CHECK(shown({"bc", "abc"}, "xabcx", {length}) == "x");  // complete at once: the longer one
    CHECK(shown({"\n\n", "\nUser:"}, "one\ntwo\nUser: three\n\n", {length}) == "one\ntwo");
    CHECK(shown({"aab"}, "aaab", {length}) == "a");
    CHECK(shown({"abab"}, "abaabab", {length}) == "aba");
  }
}

TEST_CASE("what is shown does not depend on how the text is cut") {
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    const auto word = [&](size_t length) {
      std::string text;
      for (size_t i = 0; i < length; ++i) text += std::string_view("ab\xC3\xA9")[random.below(4)];
      return text;
    };
    const std::vector<std::string> stops{word(1 + random.below(4)), word(2 + random.below(4))};
    const std::string text = word(30);
    REQUIRE(shown(stops, text, {1}) == expected_text(stops, text));
    std::vector<size_t> lengths(30);
    for (size_t& length : lengths) length = 1 + random.below(4);
    REQUIRE(shown(stops, text, lengths) == expected_text(stops, text));
    REQUIRE(shown(stops, text, {30}) == expected_text(stops, text));
  }
}

TEST_CASE("an empty stop string is refused") { CHECK_THROWS_AS(StopStrings({"a", ""}), UserError); }
