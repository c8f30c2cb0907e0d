// The vocabulary of lib/tensor, against loops over indices: odd shapes, strides, broadcasts, overlaps.
#include "lib/tensor/tensor.hpp"

#include <numeric>
#include <type_traits>

#include "tests/allocations.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Matrix = Array<real, 2>;

const size_t odd_sizes[] = {0, 1, 3, 16, 17, 129, 300};

/// A view of every second row and of columns in the middle of a larger array, which stays as it is around it.
View<real, 2> inner(Matrix& whole) {
  const size_t rows = whole.shape(0) / 2, columns = whole.shape(1) - 5;
  return {whole.data() + 2, {rows, columns}, {2 * whole.shape(1), 1}};
}

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const ContractError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("an expression of views is nothing but its operands, so compilers see through it") {
  const View<const real, 2> x, y;
  const View<const real, 1> r;
  const auto expression = 2 * x + xt::exp(-y) * column(r);
  STATIC_REQUIRE(std::is_trivially_destructible_v<std::remove_const_t<decltype(expression)>>);
  STATIC_REQUIRE(std::is_trivially_copyable_v<View<real, 2>>);
  STATIC_REQUIRE(sizeof(View<real, 2>) == sizeof(void*) + 2 * 2 * sizeof(size_t));
}

TEST_CASE("an expression is written element by element, for odd sizes and rows with gaps") {
  for (const size_t N : {1, 2, 5})
    for (const size_t C : odd_sizes) {
      INFO(N << " x " << C);
      Matrix whole = random_array<2>({2 * N, C + 5}, 1), other = random_array<2>({2 * N, C + 5}, 2);
      const Matrix dense = random_array<2>({N, C}, 3), before = whole;
      const View<real, 2> y = inner(whole), x = inner(other);
      noalias(y) = x * view(dense) + 3 * x - real(0.5);
      Matrix expected = before;
      for (size_t n = 0; n < N; ++n)
        for (size_t c = 0; c < C; ++c)
          expected(2 * n, c + 2) = other(2 * n, c + 2) * dense(n, c) + 3 * other(2 * n, c + 2) - real(0.5);
      REQUIRE(difference(whole, expected, 8 * epsilon) == "");  // a product and a sum may be rounded once or twice
    }
}

TEST_CASE("=, +=, -=, *= and /= take expressions and numbers") {
  const Array<real, 1> x = {1, 2, 4};
  Array<real, 1> y = {0, 0, 0};
  noalias(view(y)) = 2 * view(x);
  noalias(view(y)) += view(x);
  noalias(view(y)) -= 1;
  noalias(view(y)) *= view(x);
  noalias(view(y)) /= 2;
  CHECK(difference(y, Array<real, 1>{1, 5, 22}, 0) == "");
  noalias(view(y)) = 7;
  CHECK(difference(y, Array<real, 1>{7, 7, 7}, 0) == "");
}

TEST_CASE("rows, columns, single rows and (1, C) are broadcast, as in NumPy") {
  for (const size_t C : odd_sizes) {
    const size_t N = 4;
    INFO(C);
    const Matrix x = random_array<2>({N, C}, 1), one_row = random_array<2>({1, C}, 2),
                 upright = random_array<2>({N, 1}, 3);
    const Array<real, 1> w = random_array<1>({C}, 4), r = random_array<1>({N}, 5);
    Matrix by_vector(Shape<2>{N, C}), by_row = by_vector, by_column = by_vector, by_matrix = by_vector, all = by_vector;
    noalias(view(by_vector)) = view(x) * view(w);
    noalias(view(by_row)) = view(x) * view(one_row);
    noalias(view(by_column)) = view(x) * column(view(r));
    noalias(view(by_matrix)) = view(x) * view(upright);
    noalias(view(all)) = column(view(r)) + view(w);
    for (size_t n = 0; n < N; ++n)
      for (size_t c = 0; c < C; ++c) {
        REQUIRE(by_vector(n, c) == x(n, c) * w(c));
        REQUIRE(by_row(n, c) == x(n, c) * one_row(0, c));
        REQUIRE(by_column(n, c) == x(n, c) * r(n));
        REQUIRE(by_matrix(n, c) == x(n, c) * upright(n, 0));
        REQUIRE(all(n, c) == r(n) + w(c));
      }
  }
}

TEST_CASE("transposed operands, and targets whose rows have gaps between numbers, are written as well") {
  Matrix x = random_array<2>({3, 5}, 1), y = zeros<real, 2>({5, 3}), z = zeros<real, 2>({3, 5});
  noalias(view(y)) = transposed(view(x)) + 1;
  noalias(transposed(view(z))) = view(y);
  for (size_t i = 0; i < 3; ++i)
    for (size_t j = 0; j < 5; ++j) {
      REQUIRE(y(j, i) == x(i, j) + 1);
      REQUIRE(z(i, j) == y(j, i));
    }
}

TEST_CASE("three dimensions, with a gap at every axis") {
  Array<real, 3> whole = random_array<3>({3, 4, 20}, 1), other = random_array<3>({2, 3, 17}, 2);
  const Array<real, 3> before = whole;
  const View<real, 3> y(whole.data() + 1, {2, 3, 17}, {4 * 20, 20, 1});
  noalias(y) += 2 * view(other);
  for (size_t a = 0; a < 2; ++a)
    for (size_t b = 0; b < 3; ++b)
      for (size_t c = 0; c < 17; ++c) REQUIRE(whole(a, b, c + 1) == Approx(before(a, b, c + 1) + 2 * other(a, b, c)));
}

TEST_CASE(
    "exp and sigmoid in an expression are those of wider arithmetic, however long the row and whatever is inside") {
  for (const size_t C : odd_sizes) {
    INFO(C);
    const Matrix x = random_array<2>({3, C}, 1, 2), w = random_array<2>({3, C}, 2);
    Matrix plain(Shape<2>{3, C}), minus = plain, shifted = plain, inside = plain, nested = plain, gate = plain;
    noalias(view(plain)) = xt::exp(view(x));
    noalias(view(minus)) = xt::exp(-view(x)) * view(w);
    noalias(view(shifted)) = view(w) + xt::exp(view(x) - real(1.5));
    noalias(view(inside)) = xt::exp(view(x) * view(w));
    noalias(view(nested)) = xt::exp(-xt::exp(view(x)));
    noalias(view(gate)) = view(x) * sigmoid(view(x)) + sigmoid(view(w));
    for (size_t n = 0; n < 3; ++n)
      for (size_t c = 0; c < C; ++c) {
        const double a = x(n, c), b = w(n, c), e = std::exp(a), s = 1 / (1 + std::exp(-a)), t = 1 / (1 + std::exp(-b));
        const auto near = [](real actual, double expected, double size) {
          return std::abs(actual - expected) <= 8 * epsilon * size + 8 * std::numeric_limits<real>::min();
        };
        REQUIRE(near(plain(n, c), e, e));
        REQUIRE(near(minus(n, c), b / e, std::abs(b) / e));
        REQUIRE(near(shifted(n, c), b + std::exp(a - 1.5), std::abs(b) + std::exp(a - 1.5)));
        REQUIRE(near(inside(n, c), std::exp(a * b), std::exp(a * b) * (1 + std::abs(a * b))));
        REQUIRE(near(nested(n, c), std::exp(-e), std::exp(-e) * (1 + e)));
        REQUIRE(near(gate(n, c), a * s + t, std::abs(a) * s + t));
      }
  }
}

TEST_CASE("several views are written in one loop, each number computed before any is stored") {
  for (const size_t C : odd_sizes) {
    Array<real, 1> a = random_array<1>({C}, 1), b = random_array<1>({C}, 2);
    const Array<real, 1> old_a = a, old_b = b;
    const View<real, 1> x = view(a), y = view(b);
    const auto s = sigmoid(x);
    noalias(x, y) = together(y + s, x - s * s);
    for (size_t c = 0; c < C; ++c) {
      const double sigma = 1 / (1 + std::exp(-double(old_a(c))));
      REQUIRE(a(c) == Approx(old_b(c) + sigma).margin(1e-6));
      REQUIRE(b(c) == Approx(old_a(c) - sigma * sigma).margin(1e-6));
    }
  }
}

TEST_CASE("what is its own operand is read before it is written") {
  Matrix x = {{1, 2}, {3, 4}};
  noalias(view(x)) = view(x) * view(x) + view(x);
  CHECK(difference(x, Matrix{{2, 6}, {12, 20}}, 0) == "");
}

TEST_CASE("a number that lies in the target is read before the target is written, in each way of writing") {
  const Matrix x = {{2, 4, 8}, {6, 10, 12}}, halves = {{1, 2, 4}, {3, 5, 6}};
  const Array<real, 1> w = {1, 1, 1};
  const auto divided = [&](const auto& divide) {
    Matrix y = x, whole = zeros<real, 2>({2, 8});
    divide(view(y), view(y)(0, 0));
    CHECK(difference(y, halves, 0) == "");
    const View<real, 2> gaps = view(whole).columns({1, 4});
    noalias(gaps) = view(x);
    divide(gaps, gaps(0, 0));
    CHECK(difference(Matrix(gaps), halves, 0) == "");
    Matrix columns = xt::transpose(x);
    divide(transposed(view(columns)), columns(0, 0));
    CHECK(difference(columns, Matrix(xt::transpose(halves)), 0) == "");
  };
  divided([&](View<real, 2> y, real& number) { noalias(y) = y / number; });
  divided([&](View<real, 2> y, real& number) { noalias(y) = y * view(w) / number; });
  divided([&](View<real, 2> y, const real& number) { noalias(y) = y * view(w) / number; });
  divided([&](View<real, 2> y, real& number) { noalias(y) /= view(w) * number; });
  divided([&](View<real, 2> y, real& number) { noalias(y) /= number; });
  divided([&](View<real, 2> y, real& number) {
    Matrix other = zeros<real, 2>({2, 3});
    noalias(view(other), y) = together(y / number, y * view(w) / number);
    CHECK(difference(other, halves, 0) == "");
  });
  divided([&](View<real, 2> y, real& number) {
    for (size_t n = y.shape(0); n-- > 0;) noalias(y[n]) = y[n] / number;
  });
}

TEST_CASE("shapes that do not fit throw, with both") {
  const Matrix x = zeros<real, 2>({2, 4});
  const Array<real, 1> three = zeros<real, 1>({3});
  Matrix y = zeros<real, 2>({2, 4});
  const auto fails = [&](const auto& e) { return message([&] { noalias(view(y)) = e; }); };
  CHECK(fails(view(x) + view(three)) == "an operand of shape (3) does not fit where (2, 4) is written");
  CHECK(fails(view(x) * column(view(three))) == "an operand of shape (3, 1) does not fit where (2, 4) is written");
  CHECK(fails(view(x).rows(0, 0) + 1) == "an operand of shape (0, 4) does not fit where (2, 4) is written");
  CHECK(message([&] { noalias(view(y)) = matmul(view(x), view(x)); }) ==
        "matmul: (2, 4) and (2, 4) have no inner dimension in common");
  CHECK(message([&] { noalias(view(y)) = matmul(view(x), transposed(view(x))); }) ==
        "matmul: the result has shape (2, 4), expected (2, 2)");
  CHECK(message([&] { dot(view(three), view(x)[0]); }) == "dot: (3) and (4) have different lengths");
  CHECK(message([&] { total(view(three) * view(x)[0]); }) != "nothing was thrown");
  CHECK(message([&] { noalias(view(y)[0], view(y)[1].rows(0, 2)) = together(view(x)[0], view(x)[0]); }) !=
        "nothing was thrown");
  CHECK(difference(y, zeros<real, 2>({2, 4}), 0) == "");
}

TEST_CASE("an operand that overlaps the target throws; one beside it in the same matrix does not") {
  Matrix whole = random_array<2>({4, 10}, 1);
  const View<real, 2> x = view(whole);
  const std::string overlap = "overlaps what is written";
  const auto throws = [&](View<real, 2> target, View<const real, 2> operand) {
    return message([&] { noalias(target) = operand * 2; }).find(overlap) != std::string::npos;
  };
  CHECK(throws(x.rows(0, 3), x.rows(1, 4)));
  CHECK(throws(x.rows(1, 4), x.rows(0, 3)));
  CHECK(throws(x.columns({0, 5}), x.columns({4, 9})));
  CHECK(throws(x.rows(0, 2), x.rows(1, 2)));
  CHECK(throws(View<real, 2>(x.data(), {4, 4}), View<real, 2>(x.data(), {4, 4}, {1, 4})));
  CHECK_FALSE(throws(x.rows(0, 2), x.rows(2, 4)));
  CHECK_FALSE(throws(x.columns({0, 5}), x.columns({5, 10})));
  CHECK_FALSE(throws(x.columns({5, 10}), x.columns({0, 5})));
  CHECK_FALSE(throws(x.rows(0, 2).columns({0, 5}), x.rows(1, 3).columns({5, 10})));
  CHECK_FALSE(throws(x.rows(0, 2), x.rows(0, 2)));
  CHECK(message([&] { noalias(x) -= x[0]; }).find(overlap) != std::string::npos);
  CHECK(message([&] { noalias(x) = x * column(x.at<1>(3)); }).find(overlap) != std::string::npos);
  CHECK(message([&] {
          noalias(x.rows(0, 4).columns({0, 4})) = matmul(x.columns({3, 7}), x.columns({4, 8}));
        }).find(overlap) != std::string::npos);
  CHECK(message([&] { noalias(x.rows(0, 2), x.rows(1, 3)) = together(x.rows(0, 2), x.rows(1, 3)); }).find(overlap) !=
        std::string::npos);
}

TEST_CASE("matmul takes every transposition and any strides, and adds with +=") {
  for (const size_t K : {size_t(0), size_t(1), size_t(5), size_t(33)}) {
    Matrix left = random_array<2>({2 * 3, K + 5}, 1), right = random_array<2>({2 * 7, K + 5}, 2);
    const View<const real, 2> a = inner(left), b = inner(right);
    Matrix c = random_array<2>({3, 7}, 3);
    const Matrix before = c;
    noalias(view(c)) += matmul(a, transposed(b));
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < 7; ++j) {
        double sum = before(i, j), size = std::abs(sum);
        for (size_t k = 0; k < K; ++k) sum += double(a(i, k)) * b(j, k), size += std::abs(double(a(i, k)) * b(j, k));
        REQUIRE(std::abs(c(i, j) - sum) <= double(K + 2) * epsilon * size);
      }
  }
}

TEST_CASE("dot, total, largest and softmax make one number of a row") {
  for (const size_t C : odd_sizes) {
    INFO(C);
    const Array<real, 1> x = random_array<1>({C}, 1), y = random_array<1>({C}, 2);
    double products = 0, size = 0, exponentials = 0, most = -std::numeric_limits<double>::infinity();
    for (size_t c = 0; c < C; ++c) {
      products += double(x(c)) * y(c), size += std::abs(double(x(c)) * y(c));
      exponentials += std::exp(double(x(c)) - 1);
      most = std::max(most, double(x(c)));
    }
    CHECK(std::abs(dot(view(x), view(y)) - products) <= (double(C) + 1) * epsilon * size);
    CHECK(std::abs(total(view(x) * view(y)) - products) <= (double(C) + 1) * epsilon * size);
    CHECK(std::abs(total(xt::exp(view(x) - real(1))) - exponentials) <= (double(C) + 4) * epsilon * exponentials);
    CHECK(largest(view(x)) == most);
    CHECK(largest(-view(x) + 1) == (C == 0 ? most : real(1) - *std::min_element(x.data(), x.data() + C)));
    Array<real, 1> p = x;
    const real log_sum = softmax(view(p));
    if (C > 0) CHECK(std::abs(log_sum - (1 + std::log(exponentials))) <= 8 * epsilon * (1 + std::abs(log_sum)));
  }
}

TEST_CASE("writing expressions and products allocates nothing") {
  Matrix x = random_array<2>({5, 300}, 1), y = x, square = zeros<real, 2>({5, 5});
  const Array<real, 1> r = random_array<1>({5}, 2);
  real sum = 0;
  const auto work = [&] {
    noalias(view(y)) = xt::exp(-view(x)) * column(view(r)) + view(x)[0];
    noalias(view(y)) = view(x).rows(0, 1) * sigmoid(view(y));
    noalias(view(square)) = matmul(view(x), transposed(view(y)));
    sum += total(xt::exp(view(x)[1])) + largest(view(x)[0]) + dot(view(x)[0], view(y)[0]);
    noalias(view(x)[0], view(y)[0]) = together(sigmoid(view(y)[0]), view(x)[0]);
  };
  work();  // the first product takes its workspace
  const size_t before = allocations();
  work();
  CHECK(allocations() == before);
}

TEST_CASE("xtensor's own functions and its arrays take views as they are") {
  Matrix memory = {{1, 2, 3}, {4, 5, 6}};
  const View<const real, 2> x = view(memory);
  CHECK(real(xt::sum(x)()) == 21);
  CHECK(real(xt::mean<real>(x[1])()) == 5);
  const Array<real, 1> rows = xt::sum(x, {1});
  CHECK(difference(rows, Array<real, 1>{6, 15}, 0) == "");
  const Matrix sums = x + view(rows).reshape(Shape<2>{2, 1});  // xtensor's assignment: allocates
  CHECK(difference(sums, Matrix{{7, 8, 9}, {19, 20, 21}}, 0) == "");
  CHECK(xt::allclose(x, memory));
  CHECK(difference(x, memory, 0) == "");
  Matrix out = zeros<real, 2>({2, 3});
  noalias(view(out)) = memory * 2;  // an array as an operand
  CHECK(difference(out, Matrix{{2, 4, 6}, {8, 10, 12}}, 0) == "");
}
