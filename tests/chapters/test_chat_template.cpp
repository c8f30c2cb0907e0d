// Chat templates: the formats by name, what a model's files bring, and that nobody can type a special token.
#include <fstream>
#include <nlohmann/json.hpp>

#include "chapters/01-bpe/sentencepiece.hpp"
#include "chapters/12-open-weights/chat_format.hpp"
#include "chapters/12-open-weights/hidden_text.hpp"
#include "chapters/12-open-weights/model_template.hpp"
#include "lib/base/file.hpp"
#include "tests/chapters/chat_model.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

const std::vector<Message> talk{{"system", "Be brief."}, {"user", " Hi "}, {"assistant", "Hello!"}, {"user", "Bye"}};

std::string render(std::string_view format, const std::vector<Message>& messages, ChatTemplate::Options options = {}) {
  return ChatTemplate({std::string(find_chat_format(format)->source), "<s>", "</s>", {}}).render(messages, options);
}

size_t count_special(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  return size_t(std::ranges::count_if(ids, [&](TokenId id) { return tokenizer.is_special(id); }));
}

}  // namespace

TEST_CASE("a conversation is rendered in the formats that have names") {
  CHECK(render("llama2", talk) ==
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] Hello! </s><s>[INST] Bye [/INST]");
  CHECK(render("codellama", talk) == render("llama2", talk));
  CHECK(render("codellama-70b", talk) ==
        "<s> Source: system\n\n Be brief.<step> Source: user\n\n Hi<step> Source: assistant\n\n Hello!<step> Source: "
        "user\n\n Bye<step> Source: assistant\nDestination: user\n\n ");
  const std::string llama3 =
      "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello!"
      "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>"
      "\n\n";
  CHECK(render("llama3", talk) == "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>" + llama3);
  const auto dated = [&](const std::string& date) {
    return "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: " +
           date + "\n\nBe brief.<|eot_id|>" + llama3;
  };
  std::tm now{};
  now.tm_mday = 3, now.tm_mon = 1, now.tm_year = 126;
  CHECK(render("llama3.1", talk) == dated("26 Jul 2024"));
  CHECK(render("llama3.1", talk, {true, "01 May 2025", now}) == dated("01 May 2025"));
  CHECK(render("llama3.2", talk, {true, {}, now}) == dated("03 Feb 2026"));
  CHECK(render("chatml", talk, {false, {}, {}}) ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi <|im_end|>\n"
        "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n");
  CHECK(render("chatml", talk) == render("chatml", talk, {false, {}, {}}) + "<|im_start|>assistant\n");
}

TEST_CASE("Alpaca's format is that of its authors' train.py, and knows of an input and of several turns") {
  const std::string task = "Below is an instruction that describes a task";
  const std::string order = "Write a response that appropriately completes the request.\n\n### Instruction:\n";
  CHECK(render("alpaca", {{"user", "Name a colour."}}) ==
        "<s>" + task + ". " + order + "Name a colour.\n\n### Response:");
  CHECK(render("alpaca", {{"user", "Translate.\n\n### Input:\nBonjour"}}) ==
        "<s>" + task + ", paired with an input that provides further context. " + order +
            "Translate.\n\n### Input:\nBonjour\n\n### Response:");
  CHECK(render("alpaca", talk) ==
        "<s>Be brief.\n\n### Instruction:\n Hi \n\n### Response:Hello!</s>### Instruction:\nBye\n\n### Response:");
}

TEST_CASE("a format is recognised by what its template writes") {
  for (const ChatFormat& format : chat_formats()) {
    const ChatFormat* found = recognise_chat_format(format.source);
    REQUIRE(found);
    CHECK(found->source == format.source);
  }
  CHECK(recognise_chat_format("{{ messages }}") == nullptr);
}

TEST_CASE("turns out of order are refused in the template's words") {
  const std::vector<Message> wrong = GENERATE(std::vector<Message>{{"assistant", "Hello!"}, {"user", "Hi"}},
                                              std::vector<Message>{{"user", "Hi"}, {"assistant", "Hello!"}});
  for (const char* format : {"llama2", "codellama-70b"}) CHECK_THROWS_AS(render(format, wrong), UserError);
}

TEST_CASE("what is typed never becomes a special token, wherever templates put and strip it") {
  const Tokenizer tokenizer(bytes_model({"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "é"}));
  const std::string parts[] = {"<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|eot_id|>", "é",      "<",       "|>",
                               "<|",  "im_",  "end|>",        " ",          "\n",         "\u00a0", "\uFDD00."};
  const ChatTemplate chat({GENERATE("{{ messages[0].content }}", "{{ messages[0].content.strip() }}s>",
                                    "{{ messages[0].content | trim }}|im_end|>{{ messages[0].content[1:-1] }}",
                                    "<|im_start|>{{ messages[0].content ~ '_id|>' ~ eos_token }}"),
                           "<s>",
                           "</s>",
                           {}});
  const size_t own = count_special(tokenizer, chat.encode(std::vector<Message>{{"user", ""}}, {}, tokenizer));
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    std::string content;
    for (size_t size = random.below(6); size > 0; --size) content += parts[random.below(std::size(parts))];
    INFO(in_quotes(content));
    const std::vector<Message> messages{{"user", content}};
    const std::vector<TokenId> ids = chat.encode(messages, {}, tokenizer);
    CHECK(count_special(tokenizer, ids) == own);
    if (chat.source().find("[1:-1]") == std::string::npos)  // cutting may cut a mark
      CHECK(tokenizer.decode(ids) == chat.render(messages, {}));
  }
}

TEST_CASE("a mark that stands in a text already is not taken") {
  const SpecialTokens specials({"<s>"});
  HiddenText hidden({"\uFDD00. and \uFDD01.", "x"});
  const std::string safe = hidden.hide("a<s>b <s", specials);
  CHECK(safe.find('<') == std::string::npos);
  CHECK(hidden.reveal("\uFDD00." + safe + "\uFDD01.0\uFDD1") == "\uFDD00.a<s>b <s\uFDD01.0\uFDD1");
  CHECK(hidden.reveal(safe.substr(0, safe.size() - 4)) == "a<s>b <");  // a mark that was cut
  CHECK(hidden.hide("x < y", specials) == "x < y");
}

TEST_CASE("the begin token comes once, and only where the model wants it or the template writes it") {
  const Tokenizer tokenizer(bytes_model({"<s>", "</s>"}));
  const std::vector<Message> hi{{"user", "Hi"}};
  const auto ids = [&](const std::string& text, std::optional<TokenId> begin) {
    return ChatTemplate({text, "<s>", "</s>", begin}).encode(hi, {}, tokenizer);
  };
  CHECK(ids("{{ bos_token ~ messages[0].content }}", 256) == std::vector<TokenId>{256, 'H', 'i'});
  CHECK(ids("{{ messages[0].content }}", 256) == std::vector<TokenId>{256, 'H', 'i'});
  CHECK(ids("{{ messages[0].content }}", {}) == std::vector<TokenId>{'H', 'i'});
}

TEST_CASE("with SentencePiece each part between special tokens begins with a blank") {
  SentencePieces pieces{
      {{"<s>", 0, SentencePieces::Kind::control}, {"</s>", 0, SentencePieces::Kind::control}}, true, false};
  for (const char* piece : {"▁", "[", "]", "a"}) pieces.pieces.push_back({piece, -1, SentencePieces::Kind::normal});
  const Tokenizer tokenizer(sentencepiece_model(pieces));
  const ChatTemplate chat(
      {"{{ bos_token ~ '[' ~ messages[0].content ~ ']' ~ eos_token ~ bos_token ~ '[' }}", "<s>", "</s>", {}});
  CHECK(chat.encode(std::vector<Message>{{"user", "a"}}, {}, tokenizer) ==
        std::vector<TokenId>{0, 2, 3, 5, 4, 1, 0, 2, 3});
}

TEST_CASE("a folder's template is in chat_template.jinja or in tokenizer_config.json") {
  const TemporaryFolder folder;
  const Model model = chat_model();
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  CHECK_THROWS_WITH(open_chat_template(folder.path(), model), contains("brings no chat template; --template takes"));
  write("tokenizer_config.json", R"({"chat_template": "{{ bos_token ~ eos_token }}", "bos_token": {"content": "<b>"},
                                     "eos_token": "<e>"})");
  CHECK(open_chat_template(folder.path(), model).render(talk, {}) == "<b><e>");
  write("tokenizer_config.json", R"({"chat_template": [{"name": "rag", "template": "no"},
                                                       {"name": "default", "template": "{{ eos_token }}"}]})");
  CHECK(open_chat_template(folder.path(), model).render(talk, {}) == "</s>");
  write("chat_template.jinja", "{{ messages[0].role }}");
  CHECK(open_chat_template(folder.path(), model).render(talk, {}) == "system");
  write("chat_template.jinja", "<|im_start|>\n{% include 'x' %}");
  CHECK_THROWS_WITH(open_chat_template(folder.path(), model),
                    contains("line 2 of the template") && contains("include") && contains("--template chatml serves"));
  CHECK(open_chat_template(folder.path(), model, "chatml").render(talk, {}) == render("chatml", talk));
  write("mine.jinja", "mine");
  CHECK(open_chat_template(folder.path(), model, (folder / "mine.jinja").string()).render(talk, {}) == "mine");
  CHECK_THROWS_WITH(open_chat_template(folder.path(), model, "llama9"), contains("neither a file nor one of llama2, "));
  write("tokenizer_config.json", R"({"chat_template": 5})");
  std::filesystem::remove(folder / "chat_template.jinja");
  CHECK_THROWS_WITH(open_chat_template(folder.path(), model), contains("chat_template is 5, expected a text"));
}

TEST_CASE("an answer ends at the model's end tokens and at those that end turns by their names") {
  const Model model = chat_model();
  CHECK(answer_ends(model) == std::vector<TokenId>{257, 259});
}

TEST_CASE("messages are written and read again, and anything else is refused") {
  const TemporaryFolder folder;
  const auto file = folder / "talk.json";
  write_messages(file, talk);
  CHECK(read_messages(file) == talk);
  CHECK(nlohmann::json::parse(read_file(file))[1] == nlohmann::json{{"role", "user"}, {"content", " Hi "}});
  const auto [text, message] = GENERATE(table<const char*, const char*>({
      {R"({"role": "user"})", "is an object"},
      {R"(["Hi"])", "message 1 is \"Hi\""},
      {R"([{"role": "user"}])", "message 1 lacks its role or content"},
      {R"([{"role": "user", "content": ["Hi"]}])", "message 1: \"content\" is ["},
      {R"([{"role": "tool", "content": "Hi"}])", "message 1 is of the role \"tool\""},
      {R"([{"role": "user", "content": "Hi", "name": "Ada"}])", "message 1 has \"name\", which is not supported"},
  }));
  std::ofstream(file) << text;
  CHECK_THROWS_WITH(read_messages(file), contains("talk.json: ") && contains(message));
}
