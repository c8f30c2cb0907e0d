// The vocabulary in which chapters compute: docs/conventions.md has it on one page, chapter 02 teaches it.
//
//   noalias(y) = x * w + 1;  noalias(d_x) += d_y * w;     expressions, written into a view (also -=, *=, /=)
//   noalias(a, b) += together(e, f);                      several views in one loop
//   exp, sqrt, square, sigmoid, maximum, …                elementwise functions
//   column(v), transposed(x), x.columns(…), x[n]          the same memory, seen otherwise
//   noalias(y) = matmul(x, transposed(w));                products, also +=
//   dot(x, y), total(e), largest(e), softmax(x)           one number of a row
#pragma once

#include "lib/tensor/assign.hpp"
#include "lib/tensor/column.hpp"
#include "lib/tensor/functions.hpp"
#include "lib/tensor/product.hpp"
#include "lib/tensor/reductions.hpp"
#include "lib/tensor/weight.hpp"
