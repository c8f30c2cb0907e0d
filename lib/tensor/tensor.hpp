// The vocabulary in which chapters compute: docs/conventions.md has it on one page, chapter 02 teaches it.
//
//   noalias(y) = x * w + 1;  noalias(d_x) += d_y * w;     expressions, written into a view (also -=, *=, /=)
//   noalias(a, b) += together(e, f);                      several views in one loop
//   xt::exp, xt::sqrt, xt::maximum, …, sigmoid            elementwise functions
//   x[n], x.rows(…), x.columns(…), transposed(x),         the same memory, seen otherwise
//   v.part(…), column(v)
//   noalias(y) = matmul(x, transposed(w));                products, also +=
//   dot(x, y), total(e), largest(e), softmax(x)           one number of a row
#pragma once

#include "lib/tensor/assign.hpp"
#include "lib/tensor/column.hpp"
#include "lib/tensor/functions.hpp"
#include "lib/tensor/product.hpp"
#include "lib/tensor/reductions.hpp"
#include "lib/tensor/weight.hpp"
