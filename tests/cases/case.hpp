// A reference case: a folder of files that others made. What is tested in it depends on what files it has (kinds.cpp).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "chapters/11-pretraining/model_folder.hpp"

namespace cria::testing {

struct Case {
  std::filesystem::path folder;
  std::string name;                // below the folder of all cases: "forward/gqa_8_2"
  std::vector<std::string> files;  // their names, sorted

  bool has(const std::string& file) const;
  bool has_ending(const std::string& ending) const;
  std::filesystem::path operator/(const std::string& file) const { return folder / file; }
  nlohmann::json json(const std::string& file) const;
};

/// What can be tested in a folder. One folder may be of several kinds.
struct CaseKind {
  std::string name;
  bool (*found)(const Case&);
  void (*check)(const Case&);  // null: not supported yet
};

// The checks, in files by subject; where what files there are does not say enough, with what tells such a case.
void check_model(const Case& model);  // in every form it is given in: logits, loss, gradients, greedy tokens
/// "" when the model's logits of the tokens (B, T) are those in the file, else how they differ.
std::string logit_difference(const LlamaWeights& weights, const std::filesystem::path& tokens,
                             const std::filesystem::path& logits, double tolerance = 1e-4);
void check_training(const Case& run);               // AdamW steps from initial to final weights
void check_published_stories(const Case& llama2c);  // the stories that llama2.c tells

// hostile.cpp: damaged, odd and misleading files
bool lists_hostile_models(const Case& c);
void check_hostile_models(const Case& c);
bool has_tensor_files(const Case& c);
void check_tensor_files(const Case& c);

bool is_tokenizer(const Case& c);
void check_tokenizer(const Case& c);  // ids of texts
bool has_learned_merges(const Case& c);
void check_learned_merges(const Case& c);  // of byte pair encoding, in order

// formats.cpp
void check_blocks(const Case& c);  // of quantised numbers, and what they stand for
bool has_sampler_tests(const Case& c);
void check_sampler_tests(const Case& c);  // llama.cpp's
bool has_texts(const Case& c);
void check_texts(const Case& c);  // come back from bytes and from characters

// chat.cpp
bool has_chats(const Case& c);
void check_chats(const Case& c);  // in published formats: their texts and ids
bool has_infilling(const Case& c);
void check_infilling(const Case& c);  // Code Llama's ids
void check_smollm2(const Case& c);    // a real model: ids, chats, greedy answers, perplexity

// preferences.cpp: losses over pairs of answers
bool has_preferences(const Case& c);
void check_preferences(const Case& c);

// rewards.cpp: losses over pairs of rewards
bool has_rewards(const Case& c);
void check_rewards(const Case& c);

// policies.cpp: rewards, advantages and losses of PPO
bool has_groups(const Case& c);
void check_groups(const Case& c);
bool has_policy_step(const Case& c);
void check_policy_step(const Case& c);
bool has_advantages(const Case& c);
void check_advantages(const Case& c);

// peer_layers.cpp, peer_training.cpp, peer_llama.cpp: other people's unit tests
bool is_attention(const Case& c);
void check_attention(const Case& c);
bool is_multi_head_attention(const Case& c);
void check_multi_head_attention(const Case& c);
bool is_low_rank(const Case& c);
void check_low_rank(const Case& c);
bool is_rmsnorm(const Case& c);
void check_rmsnorm(const Case& c);
bool is_rope(const Case& c);
void check_rope(const Case& c);
bool is_function(const Case& c);
void check_function(const Case& c);
bool is_optimiser(const Case& c);
void check_optimiser(const Case& c);
bool is_clipping(const Case& c);
void check_clipping(const Case& c);
bool is_cross_entropy(const Case& c);
void check_cross_entropy(const Case& c);
bool is_schedule(const Case& c);
void check_schedule(const Case& c);
void check_published_scalars(const Case& c);

}  // namespace cria::testing
