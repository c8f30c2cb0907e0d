// What mpirun started: this process, and those that train with it.
#pragma once

#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "chapters/21-several-machines/data_parallel.hpp"
#include "chapters/21-several-machines/tensor_parallel.hpp"

namespace cria {

/// As the launcher says in the environment, before anything is joined. One process that was started alone is rank 0
/// of 1.
struct Launched {
  size_t rank = 0, ranks = 1;
};
Launched launched();

/// Throws UserError where --parallel names none of these ways, or one although this process was started alone. It may
/// be empty.
void require_way(const std::string& parallel, std::initializer_list<const char*> ways);

/// Joins the others that the launcher started; none where this process is alone. Throws UserError where there are some,
/// and this build has no MPI. A line that says that a rank was lost ends with the remark.
std::unique_ptr<Communicator> join_ranks(const std::string& remark = "");

/// Each rank's text on all ranks, of which at most `length` bytes are sent.
std::vector<std::string> gather_texts(Communicator& ranks, const std::string& own, size_t length);

/// Where ranks compute with other kernels, or numbers of another size, than rank 0: which does with what. All call it.
std::string different_kernels(Communicator& ranks);

/// All that a configuration says, and that a trainer is told, as numbers.
std::vector<double> numbers_of(const LlamaConfig& config);
std::vector<double> numbers_of(const TrainerOptions& options);

/// What went wrong, in words for whoever started this, on one line.
std::string said_by(const std::exception& error);

/// Ends this process, with that line, where the other ranks wait for it: all end with it.
[[noreturn]] void end_with(const std::exception& error, const Communicator& ranks);

inline constexpr const char* training_ways_help =
    "Under mpirun, what the ranks share: data (the sequences of a batch) or tensor (of each layer a part); default "
    "data";

/// The ranks that train together. A process that was started alone is one by itself, and nothing here costs anything.
class Machines {
 public:
  /// Joins the others, to share what `parallel` says: data (or nothing) or tensor. Throws UserError for another.
  explicit Machines(const std::string& parallel);
  /// The leader ends the others' work.
  ~Machines();

  size_t size() const { return ranks_ ? ranks_->size() : 1; }
  bool leads() const { return !ranks_ || ranks_->rank() == 0; }
  /// Whether each has a part of the model only.
  bool divide_model() const { return divide_model_; }

  /// The leader's: what is trained. Throws UserError where that many ranks cannot share it, or compute differently.
  void begin(const LlamaConfig& config, const TrainerOptions& options);
  /// For a trainer, after begin; none where this process is alone.
  Peers* peers() { return peers_.get(); }
  /// The same where they divide the model: who knows this rank's part; else none.
  TensorParallel* parts() { return parts_; }

  /// The leader's: does the work. What goes wrong while the others wait for its part ends all ranks, with that line.
  void lead(const std::function<void()>& work);
  /// The others': takes part in what the leader begins, until it ends. What goes wrong here ends all ranks.
  void follow(size_t threads);

 private:
  void make_peers(const LlamaConfig& config);

  std::unique_ptr<Communicator> ranks_;
  bool divide_model_ = false;
  std::unique_ptr<LedPeers> peers_;
  TensorParallel* parts_ = nullptr;
};

}  // namespace cria
