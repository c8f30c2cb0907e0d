// cria finetune --method ppo and grpo: chapter 18.
#include <optional>

#include "app/finetune/learned_adapter.hpp"
#include "app/finetune/method.hpp"
#include "chapters/14-sft/tuned_model.hpp"
#include "chapters/16-reward-model/reward_folder.hpp"
#include "chapters/18-ppo/policy_run.hpp"
#include "lib/base/check.hpp"

namespace cria {
namespace {

/// A switch of a recipe: words, and what each stands for.
template <class Value>
Value chosen(const char* key, const std::string& word, std::initializer_list<std::pair<const char*, Value>> words) {
  std::string all;
  for (const auto& [name, value] : words) {
    if (word == name) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  throw UserError(fmt::format("{} is {}, expected one of {}", key, word, all));
}

class PolicyTuning : public TuningMethod {
 public:
  explicit PolicyTuning(AdvantageKind kind) {
    PolicyOptions& policy = options_.policy;
    policy = kind == AdvantageKind::group ? grpo_options() : ppo_options();
    if (kind == AdvantageKind::critic) policy.samples = 4;
    kl_ = kind == AdvantageKind::group ? policy.policy.kl_coefficient : policy.rewards.kl_coefficient;
    estimate_ = kind == AdvantageKind::group ? "k3" : "k1";
  }

  RecipeKeys keys() override {
    PolicyOptions& p = options_.policy;
    RecipeKeys keys = {
        {"policy", "prompts", &options_.prompts, "new ones in each step"},
        {"policy", "samples", &p.samples, "answers to each of them"},
        {"policy", "epochs", &p.epochs, "how often a step's answers are gone through"},
        {"policy", "answer_tokens", &p.answer_tokens, "the most that an answer may have, its end included"},
        {"policy", "kl", &kl_, "the divergence's coefficient: of ppo in the reward, of grpo in the loss"},
        {"policy", "kl_estimate", &estimate_, "k1, k2 or k3"},
        {"policy", "clip_low", &p.policy.clip_low, "the ratio is clipped below 1 less this"},
        {"policy", "clip_high", &p.policy.clip_high, "and above 1 and this"},
        {"policy", "weight", &weight_, "the loss is a mean over tokens, answers, or constant lengths"},
        {"policy", "missing_end", &missing_end_, "an answer without an end keeps its score, or subtract or replace"},
        {"policy", "missing_end_penalty", &p.rewards.missing_end_penalty, "what is subtracted, or takes its place"},
        {"policy", "judged", &options_.judged, "held-out prompts that a validation answers"},
        {"policy", "learns", &learns_, "all weights, or LoRA beside them: all or lora"}};
    const auto add = [&](const RecipeKeys& more) { keys.insert(keys.end(), more.begin(), more.end()); };
    if (p.advantages == AdvantageKind::group) {
      add({{"policy", "divide_by_std", &p.groups.divide_by_std,
            "advantages are divided by their group's deviation; not in Dr. GRPO"}});
    } else {
      add({{"policy", "gamma", &p.gae.gamma, "what a reward is worth one token later"},
           {"policy", "lambda", &p.gae.lambda, "0: trust the critic, 1: trust the rewards"},
           {"policy", "score_place", &place_, "where an answer's score stands: last_token or one_past"},
           {"policy", "whiten_scores", &p.rewards.whiten_scores, "scores of a step get mean 0 and variance 1"},
           {"policy", "whiten_advantages", &p.whiten_advantages, "and advantages"},
           {"policy", "shift_mean", &p.whitening.shift_mean, "whitening removes the mean"},
           {"policy", "bessel", &p.whitening.bessel, "the variance divides by one less"},
           {"policy", "value_clip", &p.values.clip, "how far a value may move in a step; 0: not clipped"},
           {"policy", "value_coefficient", &p.values.coefficient, "of the critic's loss"}});
    }
    add(lora_->keys());
    return keys;
  }

  bool learns_from_rewards() const override { return true; }

  std::unique_ptr<ModelTraining> begin(const TuningSetup& setup) override {
    PolicyOptions& p = options_.policy;
    const KlEstimate estimate = chosen<KlEstimate>(
        "policy.kl_estimate", estimate_, {{"k1", KlEstimate::k1}, {"k2", KlEstimate::k2}, {"k3", KlEstimate::k3}});
    p.weight = chosen<TokenWeight>(
        "policy.weight", weight_,
        {{"tokens", TokenWeight::tokens}, {"answers", TokenWeight::answers}, {"constant", TokenWeight::constant}});
    p.rewards.missing_end = chosen<MissingEnd>(
        "policy.missing_end", missing_end_,
        {{"keep", MissingEnd::keep}, {"subtract", MissingEnd::subtract}, {"replace", MissingEnd::replace}});
    p.rewards.score_place = chosen<ScorePlace>(
        "policy.score_place", place_, {{"last_token", ScorePlace::last_token}, {"one_past", ScorePlace::one_past}});
    const bool group = p.advantages == AdvantageKind::group;
    (group ? p.policy.kl : p.rewards.kl) = estimate;
    (group ? p.policy.kl_coefficient : p.rewards.kl_coefficient) = kl_;
    TrainingSubject& subject = setup.subject;
    TrainedModel learning = begin_learning(subject, setup.state);
    return std::make_unique<PolicyRun>(with_format(std::move(learning), setup.encoder), weights_, reference(subject),
                                       *subject.tokenizer, judged_prompts(setup), setup.recipe, answer_style(setup),
                                       options_, group ? nullptr : std::make_unique<ValueModel>(*subject.weights),
                                       setup.pool, keys());
  }

  std::string hint(const std::string& base, const std::string& folder) const override {
    return learns_ == "all" ? TuningMethod::hint(base, folder) : adapter_hint(base, folder);
  }

 private:
  TrainedModel begin_learning(const TrainingSubject& subject, const TrainingState& state) {
    if (!chosen<bool>("policy.learns", learns_, {{"all", false}, {"lora", true}})) {
      reference_.emplace(subject.config.llama);
      std::ranges::copy(subject.weights->flat(), reference_->flat().begin());
      weights_ = *subject.weights;
      return whole_model(subject.config, *subject.weights, *subject.tokenizer);
    }
    lora_->begin(subject.config.llama, *subject.weights, state.seed);
    weights_ = lora_->attached_to(*subject.weights);
    return adapter_in_training(*lora_, *subject.weights, subject.config.llama, *subject.tokenizer, state.base);
  }

  /// A copy, where all weights learn; beside LoRA the weights themselves.
  const LlamaParameters& reference(const TrainingSubject& subject) const {
    return reference_ ? *reference_ : *subject.weights;
  }

  PolicyRunOptions options_;
  // LoRA alone: a LLaMA-Adapter's keys and values are formed when it is attached, so answers would not follow it.
  std::unique_ptr<LearnedAdapter> lora_ = learned_lora();
  std::string learns_ = "all";
  LlamaWeights weights_;
  std::optional<LlamaParameters> reference_;
  double kl_;
  std::string estimate_, weight_ = "tokens", missing_end_ = "keep", place_ = "last_token";
};

}  // namespace

std::unique_ptr<TuningMethod> ppo_method() { return std::make_unique<PolicyTuning>(AdvantageKind::critic); }
std::unique_ptr<TuningMethod> grpo_method() { return std::make_unique<PolicyTuning>(AdvantageKind::group); }

}  // namespace cria
