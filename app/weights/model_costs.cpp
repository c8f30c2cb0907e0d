#include "app/weights/model_costs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/quantities.hpp"
#include "app/thread_count.hpp"
#include "chapters/06-kv-cache/kv_cache.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

using Json = nlohmann::ordered_json;

Json memory_json(const TrainingMemory& memory) {
  return {{"total", memory.total()},       {"weights", memory.weights},         {"moments", memory.moments},
          {"gradients", memory.gradients}, {"activations", memory.activations}, {"program", memory.program}};
}

constexpr auto training_parts = {"weights", "moments", "gradients", "activations", "program"};
constexpr auto decoding_parts = {"weights", "cache", "activations", "program"};

/// "1.8 MiB weights +", …, "7.4 MiB program" of the parts under their names.
std::vector<std::string> sum_text(const Json& memory, std::initializer_list<const char*> parts) {
  std::vector<std::string> text;
  for (const char* part : parts) text.push_back(fmt::format("{} {} +", bytes_text(memory[part]), part));
  text.back().resize(text.back().size() - 2);
  return text;
}

void print_memory(const char* label, const Json& memory, std::initializer_list<const char*> parts) {
  std::vector<std::string> text = sum_text(memory, parts);
  text.insert(text.begin(), bytes_text(memory["total"]) + " =");
  print_parts(label, text);
}

}  // namespace

Json model_costs(const LlamaConfig& c, const TrainerOptions& training, size_t positions, CacheType cache_type,
                 size_t sequences, std::optional<size_t> packed_weights) {
  const ParameterCounts counts = count_parameters(c);
  Json parts = {{"embedding", counts.embedding},
                {"norms", counts.norms},
                {"attention", counts.attention},
                {"feed_forward", counts.feed_forward}};
  if (counts.head > 0) parts["head"] = counts.head;
  Json to_train = memory_json(training_memory(c, training, thread_count(0)));
  to_train.update(
      {{"lanes", training.lanes}, {"micro_batch", training.micro_batch}, {"positions", training.positions}});
  DecodingMemory decoding = decoding_memory(c, positions, thread_count(0), sequences, cache_type);
  decoding.weights = packed_weights.value_or(decoding.weights);
  return {{"vocabulary", c.vocabulary_size},
          {"dim", c.dim},
          {"hidden_dim", c.hidden_dim},
          {"layers", c.layers},
          {"heads", c.heads},
          {"kv_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"context", c.context},
          {"rope_theta", c.rope_theta},
          {"norm_eps", c.norm_eps},
          {"tied_embeddings", c.tied_embeddings},
          {"parameters", counts.total()},
          {"parameters_without_vocabulary", counts.without_vocabulary()},
          {"parameters_by_part", parts},
          {"weight_bytes", counts.total() * sizeof(real)},
          {"training_memory", to_train},
          {"decoding_memory",
           {{"total", decoding.total()},
            {"weights", decoding.weights},
            {"cache", decoding.cache},
            {"activations", decoding.activations},
            {"program", decoding.program},
            {"positions", positions},
            {"sequences", sequences}}},
          {"cache_type", name_of(cache_type)},
          {"cache_bytes_per_number",
           double(stored_bytes(cache_type, block_size(cache_type))) / double(block_size(cache_type))},
          {"cache_bytes_per_position", KvCache::bytes(c.layers, 1, c.kv_heads, c.head_dim, 1, cache_type)},
          {"cache_bytes", KvCache::bytes(c.layers, c.context, c.kv_heads, c.head_dim, 1, cache_type)},
          {"operations_per_token", forward_operations_per_token(c, 1)},
          {"operations_per_token_at_full_context", forward_operations_per_token(c, double(c.context))},
          {"training_operations_per_token", training_operations_per_token(c, training.positions)}};
}

void print_model_costs(const Json& m) {
  const auto number = [&](const char* key) { return m[key].get<size_t>(); };
  print_parts(
      "model",
      {fmt::format("{} layers of width {},", number("layers"), number("dim")),
       fmt::format("{} query and {} key/value heads of {},", number("heads"), number("kv_heads"), number("head_dim")),
       fmt::format("feed-forward {},", number("hidden_dim")),
       fmt::format("{} tokens in the vocabulary,", number("vocabulary")), fmt::format("context {},", number("context")),
       m["tied_embeddings"].get<bool>() ? "tied embeddings" : "untied embeddings"});
  print_parts("parameters", {grouped(number("parameters")) + ";",
                             grouped(number("parameters_without_vocabulary")) + " without embedding and head"});
  for (const auto& [part, count] : m["parameters_by_part"].items())
    fmt::print("           {:>15} {}\n", grouped(count.get<size_t>()), part);
  if (m.contains("quantisation"))
    print_parts("stored",
                {m["quantisation"]["scheme"].get<std::string>() + ";",
                 fmt::format("{:.2f} bits a weight in all", m["quantisation"]["bits_per_weight"].get<double>())});
  const Json &t = m["training_memory"], &d = m["decoding_memory"];
  print_memory("to train", t, training_parts);
  print_parts("", {fmt::format("(gradients and activations of {} lanes,", t["lanes"].get<size_t>()),
                   fmt::format("each with {} x {} tokens at a time)", t["micro_batch"].get<size_t>(),
                               t["positions"].get<size_t>())});
  print_memory("to sample", d, decoding_parts);
  const size_t sequences = d["sequences"].get<size_t>(), positions = d["positions"].get<size_t>();
  print_parts(
      "", {sequences == 1 ? fmt::format("(a prompt and its continuation of {} tokens together)", positions)
                          : fmt::format("({} prompts with continuations of {} tokens each)", sequences, positions)});
  print_parts("cache", {fmt::format("{} a token =", bytes_text(m["cache_bytes_per_position"])),
                        fmt::format("2 · {:g} bytes · {} head_dim · {} kv_heads · {} layers;",
                                    m["cache_bytes_per_number"].get<double>(), number("head_dim"), number("kv_heads"),
                                    number("layers")),
                        fmt::format("{} for all {} of the context", bytes_text(m["cache_bytes"]), number("context"))});
  print_parts("operations",
              {fmt::format("{} for the first token,", count_text(m["operations_per_token"])),
               fmt::format("{} for one at full context,", count_text(m["operations_per_token_at_full_context"])),
               fmt::format("{} to train on one", count_text(m["training_operations_per_token"]))});
}

void require_memory(const LlamaConfig& config, const TrainerOptions& training, size_t threads, size_t besides) {
  TrainingMemory needed = training_memory(config, training, threads);
  needed.weights += besides;
  const size_t there = available_memory();
  if (there == 0 || needed.total() <= there) return;
  throw UserError(fmt::format(
      "this training run needs at least {} of memory ({}), but {} are free", bytes_text(double(needed.total())),
      fmt::join(sum_text(memory_json(needed), training_parts), " "), bytes_text(double(there))));
}

}  // namespace cria
