// What the vocabulary refuses. Compiled once for each case (-DCRIA_CASE=n), which has to fail with the words that
// tests/CMakeLists.txt expects; case 0 has to compile.
#include "lib/tensor/tensor.hpp"

using namespace cria;

void refused(View<real, 2> y, View<const real, 2> x, View<const real, 1> w) {
  noalias(y) = x * w + 1;
#if CRIA_CASE == 1
  noalias(y) = x / xt::sum(x, {1}, xt::keep_dims);  // lazy: it would run again for each element
#elif CRIA_CASE == 2
  constexpr std::conditional_t<sizeof(real) == 8, long double, double> wider = 1.5;
  noalias(y) = x * wider;
#elif CRIA_CASE == 3
  noalias(x) = w;  // read-only
#elif CRIA_CASE == 4
  noalias(w.rows(0, 1)) = x;
#elif CRIA_CASE == 5
  noalias(y[0]) = x * w;  // more dimensions than the target
#elif CRIA_CASE == 6
  noalias(y, y) = together(x);
#elif CRIA_CASE == 7
  noalias(y) = matmul(x, x) + x;  // a product is no expression
#elif CRIA_CASE == 8
  y(0) = 1;  // one index for two axes
#elif CRIA_CASE == 9
  y[0] = y[1];  // without noalias: a row that is gone at once would look elsewhere, and no number would change
#elif CRIA_CASE == 10
  column(w) = column(w);
#elif CRIA_CASE == 11
  noalias(y) -= matmul(x, x);  // products are set or added
#elif CRIA_CASE == 12
  noalias(View<float, 2>()) = xt::pow(View<const float, 2>(), 2);  // a float to the power of an int is a double
#elif CRIA_CASE == 13
  y(0, 0) = total(x);  // of a row, not of a matrix
#endif
}
