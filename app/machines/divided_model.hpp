// A model that several ranks have together, for a command that all of them run alike.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chapters/12-open-weights/packed_model.hpp"
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
  Communicator& ranks() { return *ranks_; }

  /// Runs what each rank does before it needs the others. Where it fails on some of them, all throw UserError with what
  /// the first of these said.
  void prepare(const std::function<void()>& work);
  /// After `prepare`: where the ranks compute with different kernels, or one has another text than rank 0 under one of
  /// these names, all throw UserError. They would sample different texts, and wait for each other for ever.
  void require_alike(const std::vector<std::pair<std::string, std::string>>& named);
  /// The leader's text, on all.
  void share(std::string& text);
  /// What this rank keeps of a model's matrices, for open_packed_model; all, where it is not divided. Throws UserError
  /// where the ranks cannot share it.
  KeepPart kept() const;
  /// This rank's part of a model of which that was kept.
  LlamaWeights part_of(const LlamaWeights& kept);
  /// Runs what all ranks do together; what goes wrong on one ends all of them, with a line.
  void run(const std::function<void()>& work);

 private:
  std::unique_ptr<Communicator> ranks_;
  std::string parallel_;
  std::unique_ptr<Shards> shards_;
};

}  // namespace cria
