// A model that several ranks have together, for a command that all of them run alike.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/08-llama/llama.hpp"
#include "chapters/21-several-machines/communicator.hpp"

namespace cria {

inline constexpr const char* parallel_help =
    "Under mpirun, what the ranks share: tensor (of each layer a part) or pipeline (whole layers)";

class DividedModel {
 public:
  /// Joins the other ranks. `parallel` is tensor or pipeline, or nothing where this process is alone. Throws UserError
  /// where it is neither, or does not fit what was launched.
  explicit DividedModel(const std::string& parallel);
  ~DividedModel();

  /// Who reads and writes.
  bool leads() const { return !ranks_ || ranks_->rank() == 0; }
  bool is_divided() const { return ranks_ != nullptr; }

  /// Runs what each rank does before it needs the others. Where it fails on some of them, all throw UserError with what
  /// the first of these said.
  void prepare(const std::function<void()>& work);
  /// After `prepare`: where the ranks compute with different kernels, or one has another text than rank 0 under one of
  /// these names, all throw UserError. They would sample different texts, and wait for each other for ever.
  void require_alike(const std::vector<std::pair<std::string, std::string>>& named);
  /// The leader's text, on all.
  void share(std::string& text);
  /// This rank's part of the model: all of it, where it is not divided.
  LlamaWeights part_of(const LlamaWeights& whole);
  /// Runs what all ranks do together; what goes wrong on one ends all of them, with a line.
  void run(const std::function<void()>& work);

 private:
  std::unique_ptr<Communicator> ranks_;
  std::string parallel_;
  std::unique_ptr<Shards> shards_;
};

}  // namespace cria
