// Stanford CS336's tests of attention, as data, within their own tolerance of 1e-6.
#include "chapters/02-linear/linear.hpp"
#include "lib/formats/npy.hpp"
#include "tests/chapters/attention_problem.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

/// A (B, H, T, D) array, or any with the same number of entries, read in the order (B·H, T, D).
Array<real, 3> read_case(const std::filesystem::path& path, size_t T, size_t D) {
  const NpyArray npy = read_npy(path);
  Array<real, 3> out(Shape<3>{npy.values.size() / (T * D), T, D});
  std::copy(npy.values.begin(), npy.values.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("attention reproduces CS336's scaled dot product with its causal mask") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto folder = *cases / "peer/cs336_2024/sdpa_first2";
  const Array<real, 3> q = read_case(folder / "q.npy", 32, 64), k = read_case(folder / "k.npy", 32, 64);
  const Array<real, 3> v = read_case(folder / "v.npy", 32, 64), expected = read_case(folder / "expected.npy", 32, 64);
  const auto one = [](const Array<real, 3>& x, size_t i) {
    return Array<real, 3>(View<const real, 3>(x.data() + i * 32 * 64, {32, 1, 64}));
  };
  for (size_t i = 0; i < q.shape(0); ++i) {
    Problem problem(one(q, i), one(k, i), one(v, i));
    problem.forward();
    CHECK(difference(problem.out, one(expected, i), 1e-6) == "");
  }
}

TEST_CASE("attention reproduces CS336's scaled dot product with any mask, each query on the keys that it may see") {
  const auto cases = cases_folder();
  if (!cases) return;
  const std::string name = GENERATE("sdpa", "sdpa_4d");
  const auto folder = *cases / "peer/cs336_2025" / name;
  const Array<real, 3> q = read_case(folder / "q.npy", 12, 64), k = read_case(folder / "k.npy", 16, 64);
  const Array<real, 3> v = read_case(folder / "v.npy", 16, 64), expected = read_case(folder / "expected.npy", 12, 64);
  const Array<real, 3> mask = read_case(folder / "mask.npy", 12, 16);
  for (size_t i = 0; i < q.shape(0); ++i)
    for (size_t t = 0; t < 12; ++t) {
      std::vector<size_t> visible;
      for (size_t s = 0; s < 16; ++s)
        if (mask(i, t, s) == 1) visible.push_back(s);
      REQUIRE(!visible.empty());
      Array<real, 3> key(Shape<3>{visible.size(), 1, 64}), value = key, query(Shape<3>{1, 1, 64}), wanted = query;
      for (size_t s = 0; s < visible.size(); ++s) {
        std::copy_n(&k(i, visible[s], 0), 64, &key(s, 0, 0));
        std::copy_n(&v(i, visible[s], 0), 64, &value(s, 0, 0));
      }
      std::copy_n(&q(i, t, 0), 64, query.data());
      std::copy_n(&expected(i, t, 0), 64, wanted.data());
      Problem problem(query, key, value);
      problem.forward();
      CHECK(difference(problem.out, wanted, 1e-6) == "");
    }
}

TEST_CASE("attention between its projections reproduces CS336's causal multi-head attention") {
  const auto cases = cases_folder();
  if (!cases) return;
  const auto folder = *cases / "peer/cs336_2024/mha_no_rope";
  const Array<real, 3> x = read_case(folder / "x.npy", 128, 64), expected = read_case(folder / "expected.npy", 128, 64);
  const auto project = [&](const char* weight, const real* from, real* to) {
    const Array<real, 3> w = read_case(folder / weight, 64, 64);
    linear_forward(View<const real, 2>(from, {128, 64}), View<const real, 2>(w.data(), {64, 64}),
                   View<real, 2>(to, {128, 64}));
  };
  for (size_t b = 0; b < x.shape(0); ++b) {
    Problem problem(128, 128, 2, 2, 32);
    project("wq.npy", &x(b, 0, 0), problem.q.data());
    project("wk.npy", &x(b, 0, 0), problem.k.data());
    project("wv.npy", &x(b, 0, 0), problem.v.data());
    problem.forward();
    Array<real, 2> out(Shape<2>{128, 64}), wanted = out;
    project("wo.npy", problem.out.data(), out.data());
    std::copy_n(&expected(b, 0, 0), wanted.size(), wanted.data());
    CHECK(difference(out, wanted, 1e-6) == "");
  }
}
