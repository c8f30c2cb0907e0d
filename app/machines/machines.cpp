#include "app/machines/machines.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "lib/base/check.hpp"
#include "lib/simd/primitives.hpp"
#ifdef CRIA_MPI
#include "app/machines/mpi_communicator.hpp"
#endif

namespace cria {
namespace {

// A model's numbers and a trainer's, one after the other: all of them are exact as double.
class Numbers {
 public:
  Numbers() = default;
  explicit Numbers(std::vector<double> all) : all_(std::move(all)), writes_(false) {}

  template <class T>
  void operator()(T& value) {
    if (writes_)
      all_.push_back(static_cast<double>(value));
    else
      value = static_cast<T>(all_.at(at_++));
  }
  std::vector<double> all_;

 private:
  bool writes_ = true;
  size_t at_ = 0;
};

void visit(Numbers& number, LlamaConfig& c) {
  for (size_t* n :
       {&c.vocabulary_size, &c.dim, &c.hidden_dim, &c.layers, &c.heads, &c.kv_heads, &c.head_dim, &c.context})
    number(*n);
  RopeScaling& s = c.rope_scaling;
  for (double* x : {&c.norm_eps, &c.rope_theta, &s.factor, &s.low_turns, &s.high_turns, &s.original_context})
    number(*x);
  number(c.tied_embeddings), number(s.kind), number(c.rope_pairing);
  size_t divisors = s.divisors.size();
  number(divisors);
  s.divisors.resize(divisors);
  for (float& x : s.divisors) number(x);
}

void visit(Numbers& number, TrainerOptions& o) {
  for (size_t* n : {&o.batch, &o.positions, &o.micro_batch, &o.lanes, &o.together}) number(*n);
  for (double* x : {&o.clip_norm, &o.adamw.beta1, &o.adamw.beta2, &o.adamw.eps, &o.adamw.weight_decay}) number(*x);
  for (bool* b : {&o.adamw.decay_embedding, &o.adamw.decay_all}) number(*b);
}

template <class Values>
std::vector<double> written(Values values) {
  Numbers numbers;
  visit(numbers, values);
  return numbers.all_;
}

size_t number_in_environment(const char* name, size_t otherwise) {
  const char* text = std::getenv(name);
  return text ? static_cast<size_t>(std::strtoul(text, nullptr, 10)) : otherwise;
}

}  // namespace

// Open MPI's mpirun, or what speaks PMI (MPICH's, Intel's) or PMIx, as Slurm's srun --mpi=pmix.
Launched launched() {
  if (std::getenv("OMPI_COMM_WORLD_SIZE"))
    return {number_in_environment("OMPI_COMM_WORLD_RANK", 0), number_in_environment("OMPI_COMM_WORLD_SIZE", 1)};
  if (std::getenv("PMI_SIZE")) return {number_in_environment("PMI_RANK", 0), number_in_environment("PMI_SIZE", 1)};
  if (std::getenv("PMIX_RANK"))
    return {number_in_environment("PMIX_RANK", 0), number_in_environment("SLURM_STEP_NUM_TASKS", 1)};
  return {};
}

std::unique_ptr<Communicator> join_ranks([[maybe_unused]] const std::string& remark) {
  if (launched().ranks == 1) return nullptr;
#ifdef CRIA_MPI
  std::unique_ptr<Communicator> ranks = join_mpi(remark);
  if (ranks->size() != launched().ranks)
    throw UserError(
        fmt::format("started as one of {} ranks, but MPI has joined {}: mpirun belongs to another MPI than "
                    "the one that this was built with",
                    launched().ranks, ranks->size()));
  return ranks;
#else
  throw UserError(fmt::format("started as one of {} ranks, but built without MPI: ./cria setup mpi, and build anew",
                              launched().ranks));
#endif
}

void require_way(const std::string& parallel, std::initializer_list<const char*> ways) {
  if (parallel.empty()) return;
  if (std::ranges::find(ways, parallel) == ways.end())
    throw UserError(fmt::format("--parallel is {}, expected {}", in_quotes(parallel), fmt::join(ways, " or ")));
  if (launched().ranks == 1)
    throw UserError("--parallel is for several ranks: start it with mpirun -n 2, or leave the option out");
}

std::vector<std::string> gather_texts(Communicator& ranks, const std::string& own, size_t length) {
  const size_t N = ranks.size(), room = length + 1;  // a zero ends each
  std::vector<char> all(N * room);
  own.copy(&all[ranks.rank() * room], length);
  all_gather(ranks, std::as_writable_bytes(std::span(all)), {N, N, N}, room);
  std::vector<std::string> texts;
  for (size_t rank = 0; rank < N; ++rank) texts.emplace_back(&all[rank * room]);
  return texts;
}

// Ranks that compute with other kernels round differently: what they train would depend on which of them has which
// lane, and those that sample would each go on with a token of their own.
std::string different_kernels(Communicator& ranks) {
  const std::string own = fmt::format("{} of {} bytes", simd::active().target, sizeof(real));
  const std::vector<std::string> all = gather_texts(ranks, own, 32);
  for (size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0])
      return fmt::format("rank {} computes with {}, rank 0 with {}; CRIA_SIMD=avx2 or portable makes them equal", rank,
                         all[rank], all[0]);
  return "";
}

std::vector<double> numbers_of(const LlamaConfig& config) { return written(config); }
std::vector<double> numbers_of(const TrainerOptions& options) { return written(options); }

std::string said_by(const std::exception& error) {
  const bool no_memory = dynamic_cast<const std::bad_alloc*>(&error);
  return one_line(no_memory ? "there is not enough memory for this" : error.what());
}

// Rank 0 has the folders and the display, so its errors are as of one process.
void end_with(const std::exception& error, const Communicator& ranks) {
  const std::string who = ranks.rank() == 0 ? "" : fmt::format("rank {}: ", ranks.rank());
  std::fputs(fmt::format("cria: {}{}\n", who, said_by(error)).c_str(), stderr);
  std::_Exit(3);
}

Machines::Machines(const std::string& parallel) {
  require_way(parallel, {"data", "tensor"});
  ranks_ = join_ranks(", and the last checkpoint stands");
  divide_model_ = parallel == "tensor";
}

Machines::~Machines() {
  if (!ranks_ || !leads()) return;
  std::uint64_t nothing = 0;
  if (peers_)
    peers_->begin({});
  else
    broadcast(*ranks_, std::span(&nothing, 1));
}

void Machines::begin(const LlamaConfig& config, const TrainerOptions& options) {
  if (!ranks_) return;
  if (divide_model_)
    tensor_cut(config, ranks_->size(), 0);
  else
    require_enough_lanes(ranks_->size(), options);
  Numbers numbers;
  LlamaConfig c = config;
  TrainerOptions o = options;
  numbers(divide_model_), visit(numbers, c), visit(numbers, o);
  std::uint64_t count = numbers.all_.size();
  broadcast(*ranks_, std::span(&count, 1));
  broadcast(*ranks_, std::span(numbers.all_));
  make_peers(config);
  if (const std::string different = different_kernels(*ranks_); !different.empty()) throw UserError(different);
}

void Machines::make_peers(const LlamaConfig& config) {
  if (divide_model_) {
    auto parts = std::make_unique<TensorParallel>(*ranks_, config);
    parts_ = parts.get();
    peers_ = std::move(parts);
  } else {
    peers_ = std::make_unique<DataParallel>(*ranks_);
  }
}

// Between tasks the others wait for the next one, and can be told that there is none. Within one they wait for numbers.
void Machines::lead(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    if (!peers_ || !peers_->within_task()) throw;
    end_with(error, *ranks_);
  }
}

void Machines::follow(size_t threads) {
  try {
    std::uint64_t count = 0;
    broadcast(*ranks_, std::span(&count, 1));
    if (count == 0) return;
    Numbers numbers{std::vector<double>(count)};
    broadcast(*ranks_, std::span(numbers.all_));
    LlamaConfig config;
    TrainerOptions options;
    numbers(divide_model_), visit(numbers, config), visit(numbers, options);
    make_peers(config);
    different_kernels(*ranks_);  // rank 0 says it
    const LlamaParameters weights(parts_ ? parts_->config() : config);
    ThreadPool pool(divide_model_ ? 1 : threads);
    Trainer trainer(weights.config(), parts_ ? tensor_trainable(weights, *parts_) : Trainable(weights), options, pool,
                    &*peers_);
    cria::follow(trainer, *peers_);
  } catch (const std::exception& error) {
    end_with(error, *ranks_);
  }
}

}  // namespace cria
