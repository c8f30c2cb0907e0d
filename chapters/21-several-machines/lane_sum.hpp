// Chapter 21: the sum of the lanes of all ranks, which travels while backward is still at work below.
//
// Backward forms gradients from the last layer to the first, so what is final is the end of each lane, and grows. A
// thread passes pieces on from there (collectives.hpp). It is the only one that uses the communicator between the
// first call of final_from and the end of finish.
#pragma once

#include <condition_variable>
#include <future>
#include <mutex>
#include <span>
#include <vector>

#include "chapters/21-several-machines/collectives.hpp"

namespace cria {

class LaneSum {
 public:
  /// The communicator must outlive it. All ranks pass on as many numbers at a time.
  explicit LaneSum(Communicator& ranks, size_t piece = piece_bytes / sizeof(real)) : ranks_(ranks), passing_(piece) {}
  ~LaneSum() { abandon(); }

  /// Zeros, for backward to add to; of large lanes they take no memory until it does.
  static void clear(std::span<real> lane);
  /// Of these lanes, this rank's, the numbers of one from `begin` on are final. The sum begins with the first that are
  /// so in all of them. From any thread.
  void final_from(std::span<const std::span<real>> lanes, size_t lane, size_t begin);
  /// All numbers of all lanes are final. When it returns the own share of the first lane is the sum, and all else in
  /// the lanes has been given back to the system, but for what shares a huge page with it: ZeRO, stage 2. Lanes of less
  /// than two huge pages are kept. Throws what the communicator has thrown.
  void finish(std::span<const std::span<real>> lanes);
  /// From where on numbers are final in all lanes of this rank; not while another thread calls final_from.
  size_t final_in_all() const;
  /// Whether these may travel.
  bool is_final(Range piece) const;
  /// Nothing more will be final. Waits for the piece that is under way, if any.
  void abandon() noexcept;

 private:
  void sum(const std::vector<std::span<real>>& lanes);
  void await(Range numbers);

  Communicator& ranks_;
  std::vector<real> passing_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<size_t> final_from_;  // of each lane; empty: no step's sum has begun
  bool abandoned_ = false;
  std::future<void> running_;
};

}  // namespace cria
