// GPTQ: rounding that makes up for what it does (Frantar, Ashkboos, Hoefler and Alistarh 2022, arXiv:2210.17323).
//
// Of a layer y = W x the error that counts is Σ |W x - Q x|² over a text's x, that is, for each row w of W and q of Q,
// (w - q) H (w - q)ᵀ with H = Σ x xᵀ. Columns are rounded one after the other. Once a weight is rounded, those that
// follow in its row can be moved so that they make up for a part of the error: the best move is known (optimal brain
// surgeon, Hassibi and Stork 1993; one weight at a time, Frantar and Alistarh 2022, arXiv:2208.11580), and needs the
// first row of (H of the columns that are left)⁻¹. The rows of Cholesky's factor U of H⁻¹ are just these, each over the
// square root of its first entry (section 4, step 3, and Algorithm 1). H is 2 Σ x xᵀ there; a factor changes nothing.
#pragma once

#include <string>
#include <vector>

#include "lib/base/thread_pool.hpp"
#include "lib/base/xtensor.hpp"
#include "lib/formats/element_type.hpp"

namespace cria {

struct GptqOptions {
  double damping = 0.01;   // this part of the mean of H's diagonal is added to the diagonal
  bool act_order = false;  // the columns with the largest inputs first, while later ones can make up for them
};

/// What all rows of a matrix have in common.
struct ColumnPlan {
  std::vector<size_t> order;      // (K) the columns as they are rounded
  Array<real, 2> factor;          // (K, K) U of the damped H⁻¹, rows and columns in that order
  std::vector<float> importance;  // (K) 1 / U(j, j)², by place: what of a weight's error² no other can make up for
  bool is_sorted = false;         // whether the order is another than that of the places
};

/// H is symmetric (K, K). Where that is not positive definite for all its damping, as when columns are always zero and
/// the damping is too, it gets more. Throws UserError for numbers that are not finite.
ColumnPlan plan_columns(View<const real, 2> hessian, const GptqOptions& options, ThreadPool& pool);

/// Whether there is GPTQ for blocks of this type: Q4_0 and Q4_1.
bool has_gptq(ElementType type);

/// Appends the rows of W (M, K) as blocks of 32 numbers. A block's scale is searched for when its first column is about
/// to be rounded, from what the numbers are by then. Where columns are sorted they are taken from all blocks in turn,
/// so scales are found before the first, from the numbers as they were ("static groups"): a file has no place to say
/// which column is of which group. Throws ContractError for another type, shapes that do not fit, and numbers that are
/// not finite. The same bits at any number of threads.
void gptq_rows(ThreadPool& pool, ElementType type, View<const real, 2> weight, const ColumnPlan& plan,
               std::string& out);

}  // namespace cria
