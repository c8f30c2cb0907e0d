// Engine: many texts with one model. Requests come and go between passes (Yu et al. 2022, "Orca"), keys and values are
// in blocks (paged_cache.hpp), and a plan says what each pass computes (schedule.hpp).
//
// The promise: a text has the bits that it has alone. Every row of a pass is computed as if it were a single token's
// (llama_forward with stretches), so it does not matter who else is in the pass, in which pieces a prompt is read, what
// of it was found in the cache, whether the text was thrown out and read again, or how many threads there are: a
// Decoder that is fed the same tokens one by one gives the same logits.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "chapters/08-llama/llama.hpp"
#include "chapters/09-sampling/continuation.hpp"
#include "chapters/22-serving/paged_cache.hpp"
#include "chapters/22-serving/schedule.hpp"
#include "chapters/22-serving/timeline.hpp"
#include "lib/base/thread_pool.hpp"

namespace cria {

struct EngineOptions {
  size_t blocks;           // of the paged cache
  size_t block_size = 16;  // positions of a block
  size_t places = 16;      // sequences that run at the same time, at most
  size_t chunk = 256;      // prompt tokens beside the decoding ones in a pass, at most
  size_t waiting = 64;     // requests that wait, at most
  size_t threads = 1;
  CacheType cache_type = CacheType::f32;
};

/// What a request gets to know while it runs. Called by the thread that runs step(), between two passes; they may call
/// add and cancel.
struct EngineEvents {
  /// A token was drawn: what can be shown of the text now (may be empty), its id, and the logits (V) it was drawn from.
  /// Not called for a token that ends the text.
  std::function<void(std::string_view text, TokenId token, View<const real, 1> logits)> token = {};
  /// The text ends: the rest of what was held back, and the result (ended by end token or stop string, or by the
  /// limit).
  std::function<void(std::string_view rest, const GenerationResult& result)> finished = {};
  /// The text ends because nothing can be drawn: logits that are no numbers. Without it `finished` is called.
  std::function<void(std::string_view message)> failed = {};
};

struct EngineFigures {
  size_t running = 0, waiting = 0;
  size_t blocks = 0, blocks_used = 0, blocks_shared = 0;
  std::uint64_t passes = 0, preemptions = 0;
  std::uint64_t tokens_read = 0, tokens_drawn = 0;  // positions of prompts that were computed; tokens of texts
  std::uint64_t tokens_from_prefix = 0;             // positions that were found in the cache instead
};

/// Not thread-safe: one thread calls everything (app/serve puts a queue in front of it).
class Engine {
 public:
  /// Weights and tokenizer must outlive it. Throws ContractError for sizes of zero.
  Engine(const LlamaWeights& weights, const Tokenizer& tokenizer, std::span<const TokenId> ends, EngineOptions options);
  ~Engine();

  /// Enters the queue. Throws UserError for options out of range, and for a prompt that has no room in the context or
  /// in all blocks together. Returns nothing (nullopt) where the queue is full. A text ends at the latest where the
  /// context or the blocks do.
  std::optional<std::uint64_t> add(std::vector<TokenId> prompt, GenerationOptions options, EngineEvents events);
  /// Its place and blocks are free at once; its events are not called any more. Unknown ids (already finished) are
  /// fine.
  void cancel(std::uint64_t id);
  bool idle() const;  // nothing runs or waits
  void step();        // one pass: admits, prefills a chunk, decodes one token of each running text

  EngineFigures figures() const;
  const Timeline& timeline() const { return timeline_; }
  const PagedCache& cache() const { return cache_; }
  /// Positions that a text can have: prompt and answer.
  size_t room() const { return room_; }

 private:
  struct Text;
  using Texts = std::vector<std::unique_ptr<Text>>;

  TextState state_of(const Text& text, bool copies) const;
  void begin_waiting();
  Plan planned(PassRecord& record);
  void preempt(PassRecord& record);
  void compute(const Texts& texts);
  void draw(Text& text, View<const real, 1> logits) const;
  void tell(const Texts& texts, PassRecord& record);
  void finish(Text& text, PassRecord& record);
  void finish_stopped(PassRecord& record);
  void leave(Text& text);
  void remove_gone();

  const LlamaWeights& weights_;
  const Tokenizer& tokenizer_;
  std::vector<TokenId> ends_;
  EngineOptions options_;
  size_t room_;
  PagedCache cache_;
  LlamaActivations activations_;
  Arena<real> memory_;
  View<real, 2> normed_, logits_;  // (places, C), (places, V) of the rows after which tokens are drawn
  ThreadPool pool_;
  Texts running_;                              // in order of arrival
  std::deque<std::unique_ptr<Text>> waiting_;  // in order of arrival
  std::vector<size_t> free_places_;
  std::vector<TokenId> tokens_;  // of the pass
  std::vector<Stretch> stretches_;
  std::uint64_t last_id_ = 0;
  EngineFigures figures_;
  Timeline timeline_;
};

}  // namespace cria
