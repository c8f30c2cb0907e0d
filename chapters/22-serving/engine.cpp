// Chapter 22, the engine: requests come in, passes are computed, tokens are drawn and told. What a pass computes is
// planned in engine_plan.cpp.
#include "chapters/22-serving/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "chapters/05-attention/attention.hpp"
#include "chapters/09-sampling/decoder.hpp"
#include "chapters/22-serving/engine_text.hpp"
#include "lib/base/check.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {

namespace {

size_t positive(size_t value) {
  require(value > 0, "Engine", "no size may be zero");
  return value;
}

PagedCacheSize cache_size(const LlamaConfig& c, const EngineOptions& o) {
  return {c.layers, c.kv_heads, c.head_dim, positive(o.blocks), positive(o.block_size), o.places, o.cache_type};
}

}  // namespace

Engine::Engine(const LlamaWeights& weights, const Tokenizer& tokenizer, std::span<const TokenId> ends,
               EngineOptions options)
    : weights_(weights),
      tokenizer_(tokenizer),
      ends_(ends.begin(), ends.end()),
      options_(options),
      room_(std::min(weights.config.context, options.blocks * options.block_size)),
      cache_(cache_size(weights.config, options)),
      // Keys beyond a part, as f32 in blocks asks for (stored_attention_scratch_size).
      activations_(weights.config, 1,
                   positive(options.places) + decoder_chunk(weights.config, room_, positive(options.chunk)),
                   std::max(room_, stored_part + 1), Keep::one_layer, options.threads, options.cache_type),
      memory_(options.places * (weights.config.dim + weights.config.vocabulary_size)),
      normed_(memory_.take(Shape<2>{options.places, weights.config.dim})),
      logits_(memory_.take(Shape<2>{options.places, weights.config.vocabulary_size})),
      pool_(options.threads) {
  options_.chunk = decoder_chunk(weights.config, room_, options.chunk);
  for (size_t place = options.places; place-- > 0;) free_places_.push_back(place);
}

Engine::~Engine() = default;

std::optional<std::uint64_t> Engine::add(std::vector<TokenId> prompt, GenerationOptions options, EngineEvents events) {
  if (prompt.empty()) throw UserError("the prompt has no tokens");
  for (const TokenId token : prompt)
    if (token < 0 || size_t(token) >= weights_.config.vocabulary_size)
      throw UserError(fmt::format("the prompt has a token {}, which the model does not have", token));
  if (prompt.size() >= room_)
    throw UserError(
        fmt::format("the prompt has {} tokens, and there is room for {} with an answer", prompt.size(), room_));
  if (waiting_.size() >= options_.waiting) return std::nullopt;
  options.tokens = std::min(options.tokens, room_ - prompt.size());
  const size_t prompt_size = prompt.size();
  waiting_.push_back(std::make_unique<Text>(
      Text{last_id_ + 1, Continuation(prompt, tokenizer_, ends_, options, weights_.config.vocabulary_size),
           options.stop, std::move(events), prompt_size}));
  return ++last_id_;
}

void Engine::cancel(std::uint64_t id) {
  for (const auto& text : waiting_)
    if (text->id == id) leave(*text);
  for (const auto& text : running_)
    if (text->id == id) leave(*text);
}

/// Its blocks and its place are free. The text itself goes when nobody looks at it any more.
void Engine::leave(Text& text) {
  text.is_gone = true;
  if (!text.place) return;
  cache_.release(*text.place);
  free_places_.push_back(*text.place);
  text.place.reset();
}

void Engine::remove_gone() {
  const auto gone = [](const std::unique_ptr<Text>& text) { return text->is_gone; };
  std::erase_if(running_, gone);
  std::erase_if(waiting_, gone);
}

bool Engine::idle() const {
  const auto gone = [](const std::unique_ptr<Text>& text) { return text->is_gone; };
  return std::ranges::all_of(running_, gone) && std::ranges::all_of(waiting_, gone);
}

/// Texts that were told to stop, or have nothing to draw, do so without another pass.
void Engine::finish_stopped(PassRecord& record) {
  const auto finish_if = [&](Text& text) {
    if (!text.is_gone && (text.stopped() || text.continuation.done())) finish(text, record);
  };
  for (size_t i = 0; i < running_.size(); ++i) finish_if(*running_[i]);
  for (size_t i = 0; i < waiting_.size(); ++i) finish_if(*waiting_[i]);
  remove_gone();
}

void Engine::finish(Text& text, PassRecord& record) {
  record.finished.push_back(text.id);
  leave(text);
  if (!text.failure.empty() && text.events.failed)
    text.events.failed(text.failure);
  else if (text.events.finished)
    text.events.finished(text.continuation.finish(), text.continuation.result());
}

void Engine::step() {
  const auto start = std::chrono::steady_clock::now();
  PassRecord record;
  remove_gone();
  finish_stopped(record);
  const Plan plan = planned(record);
  for (size_t i = 0; i < plan.admitted; ++i) {
    Text& text = *waiting_.front();
    record.admitted.push_back(text.id);
    record.from_prefix += cache_.length(*text.place);
    running_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  for (size_t i = 0; i < running_.size(); ++i) running_[i]->positions = plan.positions[i];
  compute(running_);
  figures_.tokens_from_prefix += record.from_prefix;
  record.number = ++figures_.passes;
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  tell(running_, record);
  remove_gone();
  record.waiting = waiting_.size();
  record.blocks_used = cache_.pool().used(), record.blocks_shared = cache_.pool().shared();
  timeline_.add(std::move(record));
}

/// One pass over the positions that the texts have in it, and their next tokens where it computes the last one known.
void Engine::compute(const Texts& texts) {
  tokens_.clear(), stretches_.clear();
  std::vector<Text*> drawing;
  std::vector<size_t> last_rows;
  for (const auto& text : texts) {
    text->logits.reset(), text->is_drawn = false, text->shown = {};
    if (text->positions == 0) continue;
    const size_t computed = cache_.length(*text->place);
    text->is_reading = computed < text->prompt_size || computed + 1 < text->known();
    require(cache_.reserve(*text->place, text->positions), "Engine", "the plan needs more blocks than there are");
    const auto fresh = text->continuation.tokens().subspan(computed, text->positions);
    tokens_.insert(tokens_.end(), fresh.begin(), fresh.end());
    stretches_.push_back({*text->place, text->positions});
    if (computed + text->positions < text->known()) continue;
    text->logits = drawing.size();
    drawing.push_back(text.get());
    last_rows.push_back(tokens_.size() - 1);
  }
  if (tokens_.empty()) return;
  const size_t N = tokens_.size(), drawn = drawing.size();
  auto pass = [&](const Team& team) {
    // solution: pass
    llama_forward(weights_, {.tokens = View<const std::int32_t, 2>(tokens_.data(), {1, N}), .stretches = stretches_},
                  activations_, &cache_, team);
    if (drawn == 0) return;
    const Range share = team.share(drawn);
    for (size_t i = share.begin; i < share.end; ++i) noalias(normed_[i]) = activations_.normed[last_rows[i]];
    team.wait();
    llama_logits(weights_, normed_.rows(0, drawn), logits_.rows(0, drawn), team, Rows::apart);
    team.wait();
    for (size_t i = share.begin; i < share.end; ++i) draw(*drawing[i], logits_[i]);
    // end of solution
  };
  // As in a Decoder: where other work keeps a thread from running, one alone is sooner done with a single token.
  if (N == 1 && Signal::crowded())
    pass(Team());
  else
    pool_.together(pass);
  for (const auto& text : texts)
    if (text->positions > 0) cache_.publish(*text->place, text->continuation.tokens());
}

/// On any thread.
void Engine::draw(Text& text, View<const real, 1> logits) const {
  const size_t before = text.known();
  if (text.continuation.done() || text.stopped()) return;
  try {
    text.shown = text.continuation.draw(logits);
    text.is_drawn = text.known() > before;
  } catch (const UserError& error) {
    text.failure = error.what();
  }
}

/// Tells what was drawn, and lets go who has ended.
void Engine::tell(const Texts& texts, PassRecord& record) {
  // An event may cancel any text, and add others, but not to `texts`.
  for (size_t i = 0; i < texts.size(); ++i) {
    Text& text = *texts[i];
    if (text.positions > 0) record.parts.push_back({text.id, text.positions, size_t(text.is_drawn)});
    figures_.tokens_drawn += text.is_drawn;
    if (text.is_reading) figures_.tokens_read += text.positions;
    if (text.is_gone) continue;
    if (text.is_drawn && text.events.token)
      text.events.token(text.shown, text.continuation.tokens().back(), logits_[*text.logits]);
    if (!text.is_gone && (text.continuation.done() || text.stopped() || !text.failure.empty())) finish(text, record);
  }
}

EngineFigures Engine::figures() const {
  EngineFigures f = figures_;
  f.running = running_.size(), f.waiting = waiting_.size();
  f.blocks = cache_.pool().size(), f.blocks_used = cache_.pool().used(), f.blocks_shared = cache_.pool().shared();
  return f;
}

}  // namespace cria
