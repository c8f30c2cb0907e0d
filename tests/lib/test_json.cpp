// JSON of others: what is read, and what is refused in one short line.
#include <chrono>
#include <nlohmann/json.hpp>

#include "lib/base/file.hpp"
#include "lib/formats/json.hpp"
#include "tests/apart.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;
using Json = nlohmann::json;

TEST_CASE("JSON is read as it stands, numbers with their types") {
  const std::string text =
      R"( {"a": [1, -2, 3.5, 18446744073709551615, true, null, "é\n\u00e9"], "b": {"a": {}}, "": []} )";
  const Json value = parse_json(text, "text");
  CHECK(value == Json::parse(text));
  CHECK(value["a"][0].is_number_unsigned());
  CHECK(value["a"][2].is_number_float());
  CHECK(parse_json("7", "text") == 7);
}

TEST_CASE("damaged, ambiguous and hostile JSON is refused in one short line") {
  const auto refused = [](const std::string& text, const std::string& reason) {
    CHECK_THROWS_AS(parse_json(text, "file"), UserError);
    CHECK_THROWS_WITH(parse_json(text, "file"), "file " + reason);
  };
  refused("", "is not valid JSON at byte 1");
  refused("{} x", "is not valid JSON at byte 4");
  refused(std::string("{}\0", 3), "is not valid JSON at byte 3");
  refused("[1e999]", "is not valid JSON at byte 6");
  refused("[\"\xff\"]", "is not valid JSON at byte 3");
  refused("[" + std::string(200'000, 'x'), "is not valid JSON at byte 2");
  refused(R"({"a": {"b\n": 1, "b\n": 1}})", R"(has "b\n" twice)");
  refused(std::string(65, '[') + std::string(65, ']'), "is nested too deeply");
  std::string objects;
  for (int depth = 0; depth < 300'000; ++depth) objects += "{\"a\":";
  refused(objects, "is nested too deeply");
  CHECK(parse_json(std::string(64, '[') + std::string(64, ']'), "file").is_array());
}

TEST_CASE("an object of 60000 keys is read in time that grows as its size") {
  std::string text = "{";
  for (int i = 0; i < 60'000; ++i) text += fmt::format(R"("key{}":{},)", i, i);
  const auto start = std::chrono::steady_clock::now();
  CHECK(parse_json(text + R"("last":0})", "file").size() == 60'001);
  // 0.1 s on a slow machine; an ordered object took 20 s, as every key was compared with all before it.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}

TEST_CASE("JSON that is made to cost much memory is refused in 2 s and 256 MB") {
  const TemporaryFolder folder;
  const auto path = folder / "tokenizer.json";
  const auto repeated = [](const std::string& text, size_t bytes) {
    std::string out;
    while (out.size() < bytes) out += text;
    return out;
  };
  constexpr size_t megabyte = 1 << 20;
  std::string keys = "{";
  for (int i = 0; keys.size() < 24 * megabyte; ++i) keys += fmt::format("\"{}\":1,", i);
  for (const auto& [text, reason] :
       std::vector<std::pair<std::string, std::string>>{{"[" + repeated("1,", 31 * megabyte), "has too many values"},
                                                        {"[" + repeated("[],", 31 * megabyte), "has too many values"},
                                                        {"[" + repeated("\"\",", 31 * megabyte), "has too many values"},
                                                        {keys, "has too many values"},
                                                        {"[\"" + repeated("x", 31 * megabyte), "is not valid JSON"},
                                                        {"[\"" + repeated("x", 33 * megabyte), "is too long"}}) {
    INFO(reason << ": " << text.substr(0, 20));
    write_file_atomically(path, text);
    const Apart read = run_apart([&] { read_json(path); });
    CHECK(read.code == 2);
    CHECK_THAT(read.message, contains(reason));
    CHECK(fault_of(read) == "");
  }
}

TEST_CASE("a message shows a value short") {
  CHECK(shown_json(Json::parse(R"({"a": 1})")) == "an object");
  CHECK(shown_json(Json::parse("[1, 2]")) == "[1,2]");
  CHECK(shown_json(Json::parse("[1, [2]]")) == "a list of 2");
  CHECK(shown_json("a\n") == R"("a\n")");
  CHECK(shown_json(std::string(1000, 'a')).size() < 70);
}
