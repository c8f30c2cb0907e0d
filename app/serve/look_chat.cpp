#include "app/serve/look_chat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "app/look/token_data.hpp"
#include "app/serve/api_error.hpp"
#include "app/serve/chat_request.hpp"
#include "app/serve/fields.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {
namespace {

using nlohmann::json;

constexpr size_t longest_conversation = 128 << 10;  // bytes

/// Of the chain of full blocks that these tokens make, what the cache has.
json blocks_of(const std::vector<TokenId>& tokens, const PagedCache& cache) {
  json blocks = json::array();
  BlockName before = no_block;
  bool held = true;
  const size_t size = cache.block_size();
  for (size_t begin = 0; begin + size <= tokens.size(); begin += size) {
    const std::optional<BlockId> block =
        held ? cache.pool().find(before, std::span(tokens).subspan(begin, size)) : std::nullopt;
    held = block.has_value();
    if (held) before = cache.pool().name(*block);
    blocks.push_back(held ? json{{"id", *block}, {"users", cache.pool().users(*block)}} : json(nullptr));
  }
  return blocks;
}

json pass_form(const PassRecord& pass) {
  json parts = json::array();
  for (const PassRecord::Part& part : pass.parts) parts.push_back({part.text, part.positions, part.drawn});
  return {{"number", pass.number},          {"seconds", pass.seconds},
          {"parts", std::move(parts)},      {"admitted", pass.admitted},
          {"preempted", pass.preempted},    {"finished", pass.finished},
          {"fromPrefix", pass.from_prefix}, {"waiting", pass.waiting},
          {"blocksUsed", pass.blocks_used}, {"blocksShared", pass.blocks_shared}};
}

std::uint64_t read_after(std::string_view query) {
  constexpr std::string_view key = "after=";
  std::uint64_t number = 0;
  if (query.empty()) return number;
  const char* const end = query.data() + query.size();
  const char* const begin = query.data() + std::min(key.size(), query.size());
  const auto [stopped, error] = std::from_chars(begin, end, number);
  if (!query.starts_with(key) || error != std::errc() || stopped != end)
    throw ApiError(400, fmt::format("the query is {}, expected after= and a pass's number", in_quotes(query)), "after");
  return number;
}

}  // namespace

std::vector<TokenId> read_look_chat(const Body& body, const ServedModel& model) {
  if (body.text.size() > longest_conversation)
    throw ApiError(400,
                   fmt::format("messages have {} bytes, expected at most {}", body.text.size(), longest_conversation),
                   "messages");
  Fields fields(body.value);
  const std::vector<Message> messages = read_messages(fields.require("messages", "a list of messages"));
  fields.refuse_others();
  return model.encode(messages);
}

json look_chat(const std::vector<TokenId>& tokens, const ServedModel& model, EngineThread& engine) {
  const std::set<TokenId> ids(tokens.begin(), tokens.end());
  json special = json::array(), blocks;
  for (const TokenId id : ids)
    if (size_t(id) < model.tokenizer->vocabulary_size() && model.tokenizer->is_special(id)) special.push_back(id);
  size_t block_size = 0;
  engine.inspect([&](const Engine& inspected) {
    blocks = blocks_of(tokens, inspected.cache());
    block_size = inspected.cache().block_size();
  });
  return {{"tokens", tokens},
          {"pieces", look::pieces_of(*model.tokenizer, ids)},
          {"special", std::move(special)},
          {"blockSize", block_size},
          {"blocks", std::move(blocks)}};
}

json look_steps(std::string_view query, EngineThread& engine) {
  const std::uint64_t after = read_after(query);
  std::vector<PassRecord> passes;
  std::uint64_t last = 0;
  size_t blocks = 0, block_size = 0;
  engine.inspect([&](const Engine& inspected) {
    for (const PassRecord& pass : inspected.timeline().passes()) {
      last = pass.number;
      if (pass.number > after) passes.push_back(pass);
    }
    blocks = inspected.cache().pool().size();
    block_size = inspected.cache().block_size();
  });
  json steps = json::array();
  for (const PassRecord& pass : passes) steps.push_back(pass_form(pass));
  return {{"steps", std::move(steps)}, {"last", last}, {"blocks", blocks}, {"blockSize", block_size}};
}

}  // namespace cria::serve
