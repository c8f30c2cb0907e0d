// Templates of the shapes in which models of the Llama family are published (tests/lib/chat_templates), against texts
// written by hand and against those that Meta's own code gives, where the reference cases are there.
#include <fmt/format.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/file.hpp"
#include "lib/jinja/template.hpp"
#include "tests/testing.hpp"

using namespace cria;

namespace {

using Json = nlohmann::ordered_json;

jinja::Template chat_template(const std::string& name) {
  return jinja::Template(read_file(std::filesystem::path(CRIA_CHAT_TEMPLATES) / (name + ".jinja")));
}

const Json talk = Json::parse(R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi "},
                                  {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Bye"}])");

std::string render_talk(const std::string& name, Json variables = Json::object()) {
  if (!variables.contains("messages")) variables["messages"] = talk;
  variables.update({{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"add_generation_prompt", true}});
  return chat_template(name).render(variables);
}

/// Renders all cases of a file; "" or what the first that differs says.
std::string first_difference(const Json& cases, const jinja::Template& chat, const std::string& bos,
                             const std::string& eos, const std::string& expected, bool prompt) {
  for (const Json& one : cases) {
    Json variables{
        {"messages", one["messages"]}, {"bos_token", bos}, {"eos_token", eos}, {"add_generation_prompt", prompt}};
    if (one.contains("date")) variables["date_string"] = one["date"];
    const bool refused = one.value("verdict", "ok") == "refused";
    std::string text;
    try {
      text = chat.render(variables);
      if (refused) return one["name"].get<std::string>() + ": was not refused";
    } catch (const UserError& error) {
      if (refused) continue;
      text = error.what();
    }
    if (text != one[expected])
      return fmt::format("{}: is\n{}\nexpected\n{}", one["name"].dump(), text, one[expected].get<std::string>());
  }
  return "";
}

std::optional<Json> cases(const std::string& file) {
  const auto folder = testing::cases_folder();
  if (!folder) {
    testing::skip_test("needs the folder of reference cases");
    return std::nullopt;
  }
  return Json::parse(read_file(*folder / file));
}

}  // namespace

TEST_CASE("Chat templates render a talk as their models read it") {
  CHECK(render_talk("llama2") ==
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi [/INST] Hello! </s><s>[INST] Bye [/INST]");
  CHECK(render_talk("codellama70b") ==
        "<s> Source: system\n\n Be brief.<step> Source: user\n\n Hi<step> Source: assistant\n\n Hello!<step> Source: "
        "user\n\n Bye<step> Source: assistant\nDestination: user\n\n ");
  CHECK(
      render_talk("llama3") ==
      "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
      "Hi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|><|start_header_id|>user"
      "<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n");
  CHECK(render_talk("chatml") ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi "
        "<|im_end|>\n<|im_start|>assistant\nHello!<|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n");
  CHECK(render_talk("qwen2") == render_talk("chatml"));
  CHECK(render_talk("mistral") == "<s>[INST]  Hi [/INST] Hello!</s>[INST] Be brief.\n\nBye[/INST]");
  CHECK(render_talk("zephyr") ==
        "<|system|>\nBe brief.</s>\n<|user|>\n Hi </s>\n<|assistant|>\nHello!</s>\n<|user|>\nBye</s>\n<|assistant|>\n");
}

TEST_CASE("Llama 3.1 takes its date from the caller, or has its own") {
  const auto rendered = [](const Json& more, const std::optional<std::tm>& now = {}) {
    Json variables{{"messages", Json::array({{{"role", "user"}, {"content", "Hi"}}})}, {"bos_token", "<s>"}};
    variables.update(more);
    return chat_template("llama31").render(variables, now);
  };
  const std::string start = "<s><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n";
  const std::string end = "\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>";
  std::tm now{};
  now.tm_mday = 3, now.tm_mon = 1, now.tm_year = 126;
  CHECK(rendered(Json::object()) == start + "Today Date: 26 Jul 2024" + end);
  CHECK(rendered({{"date_string", "21 Sep 2024"}}, now) == start + "Today Date: 21 Sep 2024" + end);
  CHECK(rendered(Json::object(), now) == start + "Today Date: 03 Feb 2026" + end);
}

TEST_CASE("Llama 3.1 offers tools and shows their calls and results") {
  const Json variables = Json::parse(R"({"bos_token": "<s>", "tools": [{"name": "sun", "parameters": {}}], "messages": [
    {"role": "user", "content": "Sun?"},
    {"role": "assistant", "tool_calls": [{"function": {"name": "sun", "arguments": {"city": "Köln"}}}]},
    {"role": "tool", "content": "yes"}]})");
  CHECK(chat_template("llama31").render(variables) ==
        "<s><|start_header_id|>system<|end_header_id|>\n\nEnvironment: ipython\nCutting Knowledge Date: December 2023\n"
        "Today Date: 26 Jul 2024\n\n<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nChoose one of these "
        "functions and "
        "answer with JSON.\n\n{\n    \"name\": \"sun\",\n    \"parameters\": {}\n}\n\nSun?<|eot_id|><|start_header_id|>"
        "assistant<|end_header_id|>\n\n{\"name\": \"sun\", \"parameters\": {\"city\": \"Köln\"}}<|eot_id|>"
        "<|start_header_id|>ipython<|end_header_id|>\n\n\"yes\"<|eot_id|>");
}

TEST_CASE("A template's own refusal is the message") {
  const Json wrong{{"messages", Json::array({{{"role", "assistant"}, {"content", "Hi"}}})}};
  CHECK_THROWS_WITH(render_talk("llama2", wrong), "the turns must alternate, user first");
}

TEST_CASE("Chats of Llama 2 and Code Llama are rendered as Meta renders them") {
  for (const std::string name : {"llama2_chat", "codellama_instruct"}) {
    const auto all = cases("chat/" + name + ".json");
    if (!all) return;
    CHECK(first_difference(*all, chat_template("llama2"), "<s>", "</s>", "rendered", true) == "");
  }
  const auto all = cases("chat/codellama70b_instruct.json");
  if (all) CHECK(first_difference(*all, chat_template("codellama70b"), "<s>", "</s>", "rendered", true) == "");
}

TEST_CASE("Chats of Llama 3 and 3.1 are rendered as published") {
  for (const std::string name : {"llama3", "llama31"}) {
    const auto all = cases("chat/" + name + "_chat.json");
    if (!all) return;
    const jinja::Template chat = chat_template(name);
    CHECK(first_difference(*all, chat, "<|begin_of_text|>", "", "rendered", true) == "");
    if ((*all)[0].contains("rendered_without_generation_prompt"))
      CHECK(first_difference(*all, chat, "<|begin_of_text|>", "", "rendered_without_generation_prompt", false) == "");
  }
}

TEST_CASE("Chats of SmolLM2 are rendered as published, with the template of its file too") {
  const auto all = cases("smollm2/smollm2.json");
  if (!all) return;
  std::vector<jinja::Template> templates;
  templates.push_back(chat_template("chatml"));
  const Json& stored = (*all)["metadata"]["tokenizer.chat_template"]["value"];
  REQUIRE(stored.is_string());
  templates.emplace_back(stored.get<std::string>());
  for (const jinja::Template& chat : templates) {
    const Json& chats = (*all)["chat_template"];
    CHECK(first_difference(chats, chat, "<|im_start|>", "<|im_end|>", "with_generation_prompt", true) == "");
    CHECK(first_difference(chats, chat, "<|im_start|>", "<|im_end|>", "without_generation_prompt", false) == "");
  }
}
