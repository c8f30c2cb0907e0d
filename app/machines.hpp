// What mpirun started: this process, and those that train with it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chapters/21-several-machines/data_parallel.hpp"

namespace cria {

/// As the launcher says in the environment, before anything is joined. One process that was started alone is rank 0
/// of 1.
struct Launched {
  size_t rank = 0, ranks = 1;
};
Launched launched();

/// Joins the others that the launcher started; none where this process is alone. Throws UserError where there are some,
/// and this build has no MPI. A line that says that a rank was lost ends with the remark.
std::unique_ptr<Communicator> join_ranks(const std::string& remark = "");

/// Each rank's text on all ranks, of which at most `length` bytes are sent.
std::vector<std::string> gather_texts(Communicator& ranks, const std::string& own, size_t length);

/// Where ranks compute with other kernels, or numbers of another size, than rank 0: which does with what. All call it.
std::string different_kernels(Communicator& ranks);

/// All that a configuration says, as numbers.
std::vector<double> numbers_of(const LlamaConfig& config);

/// The ranks that train together. A process that was started alone is one by itself, and nothing here costs anything.
class Machines {
 public:
  /// Joins the others.
  Machines() : ranks_(join_ranks(", and the last checkpoint stands")) {}
  /// The leader ends the others' work.
  ~Machines();

  size_t size() const { return ranks_ ? ranks_->size() : 1; }
  bool leads() const { return !ranks_ || ranks_->rank() == 0; }

  /// The leader's: what is trained. Throws UserError where that many ranks cannot share it, or compute differently.
  void begin(const LlamaConfig& config, const TrainerOptions& options);
  /// For a trainer, after begin; none where this process is alone.
  Peers* peers() { return peers_ ? &*peers_ : nullptr; }

  /// The leader's: does the work. What goes wrong while the others wait for its part ends all ranks, with that line.
  void lead(const std::function<void()>& work);
  /// The others': takes part in what the leader begins, until it ends. What goes wrong here ends all ranks.
  void follow(size_t threads);

 private:
  std::unique_ptr<Communicator> ranks_;
  std::optional<DataParallel> peers_;
};

}  // namespace cria
