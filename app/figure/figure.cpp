// The list of figures, and the command that draws one or all of them.
#include "app/figure/figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/figure/figures.hpp"
#include "app/figure/subject.hpp"
#include "app/look/page_data.hpp"
#include "app/run/sample.hpp"
#include "lib/base/check.hpp"
#include "lib/base/edit_distance.hpp"
#include "lib/base/file.hpp"

namespace cria {
namespace {

using namespace figure;

struct Figure {
  const char* name;
  const char* chapter;
  const char* shows;
  std::string (*draw)(const Subject&);
};

constexpr Figure figures[] = {
    {"map", "all", "which chapter builds on which", draw_map},
    {"tokens", "01", "where a text falls into tokens", draw_tokens},
    {"merges", "01", "how merges make a word's tokens, step by step", draw_merges},
    {"linear", "02", "the three matrix products of forward and backward, as shapes", draw_linear},
    {"rmsnorm", "03", "two rows of different size, before and after the norm", draw_rmsnorm},
    {"rope-rotation", "04", "pairs of channels turning with the position", draw_rope_rotation},
    {"rope-decay", "04", "q·k over the distance of the two", draw_rope_decay},
    {"attention-steps", "05", "scores, mask, softmax and sum as matrices", draw_attention_steps},
    {"attention", "05", "where each token looks, by layer and head", draw_attention},
    {"gqa", "05", "how query heads share keys and values, and what it saves", draw_gqa},
    {"cache", "06", "how the cache grows with the context", draw_cache},
    {"swiglu", "07", "the surface of silu(gate) * up, with the model's gates on it", draw_swiglu},
    {"block", "08", "how a layer is wired, and the size of the residual stream", draw_block},
    {"sampling", "09", "one set of logits under temperature and top-p", draw_sampling},
    {"schedule", "10", "the learning rate, and AdamW's bias correction", draw_schedule},
    {"batches", "11", "packed documents and their mask", draw_batches},
    {"loss", "11", "a training run against the floor; needs its log", draw_loss},
    {"row-pairs", "12", "one head's rows in the two orders of RoPE's pairs", draw_row_pairs},
    {"rope-scaling", "12", "how Llama 3.1 stretches RoPE's waves", draw_rope_scaling},
    {"number-formats", "12", "what F16 and BF16 make of numbers, and a model's weights", draw_number_formats},
    {"rounding", "13", "32 weights as a block of Q4_0, and the error over the scale", draw_rounding},
    {"bits", "13", "what types of 4 to 8 bits lose", draw_bits},
    {"answers", "14", "packed conversations, and which tokens have a target", draw_answers},
    {"obedience", "14", "for how many turns models keep to an instruction; needs logs", draw_obedience},
    {"adapters", "15", "what adapters learn of Llama 2 7B, and the memory that training them takes", draw_adapters},
    {"ranking", "16", "the loss of a pair of rewards over their difference, with margins", draw_ranking},
    {"frontier", "17", "success against divergence: best of n, and what nothing can reach", draw_frontier},
    {"clip", "18", "PPO's clip over the ratio of a good and a bad token, and the pull on each", draw_clip},
    {"advantages", "18", "the advantages of an answer's tokens for three lambda", draw_advantages},
    {"hacking", "18", "a reward that is learned from, and what is meant, over the steps; needs logs", draw_hacking},
    {"preferences", "19", "DPO, cDPO and IPO over the margin of a pair", draw_preferences},
    {"isoflop", "20", "losses of equal operations over the size, and the best sizes beside the Llamas", draw_isoflop},
    {"lifetime", "20", "training and serving together over the tokens served, for LLaMA's sizes", draw_lifetime},
    {"facts", "20", "what is lacking of facts with Zipf's weights, and the exponents of theory", draw_facts},
    {"zero", "21", "which of four ranks holds what, by ZeRO's stages", draw_zero},
    {"overlap", "21", "when a gradient's pieces travel, after backward and during it", draw_overlap},
    {"divided", "21", "which rank holds which part of which matrix", draw_divided},
    {"batching", "22", "what an engine computes in each pass, for five texts", draw_batching},
};

int list_figures() {
  fmt::print("{:<15} {:<8} {}\n", "name", "chapter", "shows");
  for (const Figure& f : figures) fmt::print("{:<15} {:<8} {}\n", f.name, f.chapter, f.shows);
  return 0;
}

void write_figure(const Figure& f, const Subject& subject, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / fmt::format("{}.svg", f.name);
  write_file_atomically(file, f.draw(subject));
  fmt::print("{}\n", file.string());
}

}  // namespace

int run_figure(const FigureOptions& options) {
  if (options.list) return list_figures();
  const auto named = std::ranges::find(figures, options.name, &Figure::name);
  if (options.name != "all" && named == std::end(figures)) {
    const Figure& nearest =
        *std::ranges::min_element(figures, {}, [&](const Figure& f) { return edit_distance(options.name, f.name); });
    throw UserError(fmt::format("there is no figure {}; the nearest known one is {}; see cria figure --list",
                                options.name, nearest.name));
  }
  const std::filesystem::path model = model_folder(options.model);
  std::vector<std::filesystem::path> logs(options.logs.begin(), options.logs.end());
  for (const std::filesystem::path& log : logs)
    if (!std::filesystem::exists(log))
      throw UserError(fmt::format("--log {}: there is no such file, expected the log of a training run", log.string()));
  if (logs.empty()) logs.push_back(model / "log.jsonl");
  const Subject subject(model, options.text.empty() ? look::story_beginning() : options.text, logs);
  std::filesystem::create_directories(options.folder);
  if (named != std::end(figures)) {
    try {
      write_figure(*named, subject, options.folder);
    } catch (const NothingToShow& reason) {
      throw UserError(fmt::format("{}: {}", named->name, reason.what()));
    }
    return 0;
  }
  for (const Figure& f : figures) {
    try {
      write_figure(f, subject, options.folder);
    } catch (const NothingToShow& reason) {
      fmt::print("left out {}: {}\n", f.name, reason.what());
    }
  }
  return 0;
}

}  // namespace cria
