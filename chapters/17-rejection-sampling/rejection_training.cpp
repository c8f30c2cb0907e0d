// Chapter 17, the run. Its rounds are rejection.cpp's.
#include "chapters/17-rejection-sampling/rejection_training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "chapters/14-sft/answer_document.hpp"
#include "lib/base/check.hpp"

namespace cria {

std::vector<double> answer_prompts(const LlamaWeights& weights, const Tokenizer& tokenizer,
                                   const JudgedPrompts& prompts, std::uint64_t first, size_t count, size_t samples,
                                   const AnswerStyle& style, size_t round, size_t threads, BestAnswers& best) {
  constexpr size_t places = 32;
  std::vector<std::vector<TokenId>> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back(prompts.prompt(first + i));
  RoundOptions options;
  options.generation.sampling.seed = style.seed;
  options.generation.sampling.temperature = style.temperature;
  options.generation.tokens = options.positions = style.positions;
  options.samples = samples;
  options.round = round;
  BatchDecoder decoder(weights, std::min(places, count * samples), style.positions, threads);
  return sample_round(
      decoder, tokenizer, texts, style.ends, options,
      [&](std::span<const FinishedText> answers) { return prompts.reward()(first, answers); }, best);
}

void validate_answers(const LlamaWeights& weights, const Tokenizer& tokenizer, JudgedPrompts prompts, size_t count,
                      const AnswerStyle& style, size_t threads, Progress& progress) {
  std::map<std::string, double>& figures = progress.figures;
  prompts.proxy = [&, proxy = prompts.proxy](std::uint64_t first, std::span<const FinishedText> answers) {
    if (proxy) figures["held-out reward"] = mean(proxy(first, answers));
    if (prompts.judge) figures["obeyed"] = mean(prompts.judge(first, answers));
    return std::vector<double>(answers.size());  // which of them is best nobody asks
  };
  BestAnswers best(count);
  answer_prompts(weights, tokenizer, prompts, JudgedPrompts::held_out, count, 1, style, 0, threads, best);
  progress.validation_loss = prompts.judge ? 1 - figures["obeyed"] : -figures["held-out reward"];
}

RejectionTraining::RejectionTraining(TrainedModel model, const LlamaWeights& weights, const Tokenizer& tokenizer,
                                     JudgedPrompts prompts, const Recipe& recipe, const AnswerStyle& style,
                                     const RejectionOptions& options, ThreadPool& pool, RecipeKeys own_keys)
    : ModelTraining(std::move(model), recipe, pool, std::move(own_keys)),
      weights_(weights),
      tokenizer_(tokenizer),
      prompts_(std::move(prompts)),
      style_(style),
      options_(options),
      documents_(style.seed),
      batches_(packed_documents([this](std::uint64_t i) { return documents_.at(i); }, recipe.training.batch,
                                recipe.training.positions)) {
  if (options.prompts == 0 || options.samples == 0 || options.steps == 0 || options.judged == 0)
    throw UserError("rejection.prompts, samples, steps and judged must be at least 1");
}

void RejectionTraining::learn(std::uint64_t prompt, const std::vector<TokenId>& answer) {
  documents_.add(answer_document(prompts_.prompt(prompt), answer, style_.end, 0));
  kept_ += fmt::format("{} {}\n", prompt, fmt::join(answer, " "));
}

void RejectionTraining::sample(Progress& progress) {
  const std::uint64_t round = steps_ / options_.steps, first = round * options_.prompts;
  BestAnswers best(options_.prompts);
  AnswerStyle style = style_;
  style.temperature = options_.temperature;
  const std::vector<double> rewards = answer_prompts(weights_, tokenizer_, prompts_, first, options_.prompts,
                                                     options_.samples, style, round, pool().size(), best);
  for (const size_t i : best.worth_learning(options_.least_reward)) learn(first + i, best.all()[i]->tokens);
  progress.figures["reward"] = mean(rewards);
  progress.figures["kept"] = double(std::ranges::count(kept_, '\n'));
  if (documents_.empty())
    throw UserError(
        fmt::format("none of {} answers is good enough to learn from: their best reward is {}, expected {}; "
                    "a model that was tuned by --method sft answers better",
                    rewards.size(), *std::ranges::max_element(rewards), options_.least_reward));
}

void RejectionTraining::step(double share, Progress& progress) {
  if (steps_ % options_.steps == 0) sample(progress);
  ++steps_;
  progress.learning_rate = rate_at(share);
  const StepResult result = trainer().step(batches_->next(), progress.learning_rate);
  progress.loss = result.loss;
  progress.gradient_norm = result.gradient_norm;
}

void RejectionTraining::validate(Progress& progress) {
  validate_answers(weights_, tokenizer_, prompts_, options_.judged, style_, pool().size(), progress);
}

void RejectionTraining::keep_place(TrainingState& state) const {
  state.position = batches_->state();
  state.fingerprint = prompts_.fingerprint;
  state.kept = fmt::format("{}\n{}", steps_, kept_);
}

void RejectionTraining::find_place(const TrainingState& state) {
  require_unchanged(state, prompts_.fingerprint, "the requests, or the reward model,");
  std::istringstream lines(state.kept);
  std::string line;
  if (!(lines >> steps_) || !std::getline(lines, line))
    throw UserError("the checkpoint lacks the answers that are kept");
  while (std::getline(lines, line)) {
    std::istringstream numbers(line);
    std::uint64_t prompt = 0;
    numbers >> prompt;
    std::vector<TokenId> answer;
    for (TokenId token; numbers >> token;) answer.push_back(token);
    learn(prompt, answer);
  }
  batches_->restore(state.position);
}

}  // namespace cria
