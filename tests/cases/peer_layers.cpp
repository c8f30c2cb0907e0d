// Single layers as other people's unit tests have them (Stanford's CS336), within those tests' own tolerance.
#include <cmath>

#include "chapters/02-linear/linear.hpp"
#include "chapters/03-rmsnorm/rmsnorm.hpp"
#include "chapters/04-rope/rope.hpp"
#include "chapters/05-attention/attention.hpp"
#include "chapters/07-swiglu/swiglu.hpp"
#include "lib/formats/npy.hpp"
#include "lib/tensor/product.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

constexpr double layer_tolerance = 1e-6;

/// Any array as rows of its last axis.
Array<real, 2> rows_of(const Case& c, const std::string& file) {
  const NpyArray npy = read_npy(c / file);
  const size_t width = npy.shape.empty() ? 1 : npy.shape.back();
  Array<real, 2> out(Shape<2>{npy.values.size() / width, width});
  std::copy(npy.values.begin(), npy.values.end(), out.begin());
  return out;
}

constexpr const char *visible_mask = "mask.npy", *hidden_mask = "mask_true_means_hidden.npy";

/// Whether `expected` is a distribution for each row of x.
bool is_distribution(const Array<real, 2>& expected) {
  for (size_t n = 0; n < expected.shape(0); ++n) {
    double sum = 0;
    for (size_t i = 0; i < expected.shape(1); ++i) sum += double(expected(n, i));
    if (std::abs(sum - 1) > 1e-4) return false;
  }
  return true;
}

}  // namespace

bool is_attention(const Case& c) {
  return c.has("q.npy") && c.has("k.npy") && c.has("v.npy") && (c.has(visible_mask) || c.has(hidden_mask));
}

// Each query by itself on the keys that its mask lets it see.
void check_attention(const Case& c) {
  const bool ones_are_seen = c.has(visible_mask);
  const NpyArray mask = read_npy(c / (ones_are_seen ? visible_mask : hidden_mask));  // (…, T, S), or the same for all
  const size_t T = mask.shape.at(mask.shape.size() - 2), S = mask.shape.back();
  const Array<real, 2> q = rows_of(c, "q.npy"), k = rows_of(c, "k.npy"), v = rows_of(c, "v.npy");
  const size_t D = q.shape(1);
  Array<real, 2> out = unwritten<2>({q.shape(0), D});
  std::vector<real> scratch(attention_scratch_size(S));
  for (size_t n = 0; n < q.shape(0); ++n) {
    Array<real, 3> keys = unwritten<3>({S, 1, D}), values = keys;
    size_t seen = 0;
    for (size_t s = 0; s < S; ++s) {
      if ((mask.values[(n * S + s) % mask.values.size()] == 1) != ones_are_seen) continue;
      std::copy_n(&k(n / T * S + s, 0), D, &keys(seen, 0, 0));
      std::copy_n(&v(n / T * S + s, 0), D, &values(seen++, 0, 0));
    }
    REQUIRE(seen > 0);
    real log_sum_exp;
    attention_forward({&q(n, 0), {1, 1, D}}, {keys.data(), {seen, 1, D}}, {values.data(), {seen, 1, D}}, {},
                      {&out(n, 0), {1, 1, D}}, {&log_sum_exp, {1, 1}}, scratch);
  }
  CHECK(difference(out, rows_of(c, "expected.npy"), layer_tolerance) == "");
}

bool is_multi_head_attention(const Case& c) { return c.has("wq.npy") && c.has("wo.npy") && c.has("case.json"); }

// Causal attention between its projections.
void check_multi_head_attention(const Case& c) {
  const NpyArray input = read_npy(c / "x.npy");  // (B, T, C)
  const size_t T = input.shape.at(1), C = input.shape.at(2), H = c.json("case.json").at("heads");
  REQUIRE(c.json("case.json").at("causal") == true);
  const Array<real, 2> x = rows_of(c, "x.npy");
  const auto project = [&](const char* weight, const Array<real, 2>& from) {
    const Array<real, 2> w = rows_of(c, weight);
    Array<real, 2> to = unwritten<2>({from.shape(0), w.shape(0)});
    linear_forward(view(from), view(w), view(to));
    return to;
  };
  const Array<real, 2> q = project("wq.npy", x), k = project("wk.npy", x), v = project("wv.npy", x);
  Array<real, 2> mixed = unwritten<2>({x.shape(0), C}), log_sum_exp = unwritten<2>({T, H});
  std::vector<real> scratch(attention_scratch_size(T));
  const Shape<3> shape{T, H, C / H};
  for (size_t n = 0; n < x.shape(0); n += T)
    attention_forward({&q(n, 0), shape}, {&k(n, 0), shape}, {&v(n, 0), shape}, {}, {&mixed(n, 0), shape},
                      view(log_sum_exp), scratch);
  CHECK(difference(project("wo.npy", mixed), rows_of(c, "expected.npy"), layer_tolerance) == "");
}

bool is_rmsnorm(const Case& c) { return c.has("x.npy") && c.has("weight.npy") && c.has("expected.npy"); }

void check_rmsnorm(const Case& c) {
  const Array<real, 2> x = rows_of(c, "x.npy"), weight = rows_of(c, "weight.npy");
  Array<real, 2> y = unwritten<2>({x.shape(0), x.shape(1)});
  Array<real, 1> inverse_rms = unwritten<1>({x.shape(0)});
  rmsnorm_forward(view(x), {weight.data(), {weight.size()}}, real(1e-5), view(y), view(inverse_rms));
  CHECK(difference(y, rows_of(c, "expected.npy"), layer_tolerance) == "");
}

bool is_rope(const Case& c) {
  return c.has("x.npy") && c.has("positions.npy") && c.has("case.json") && c.json("case.json").contains("theta");
}

void check_rope(const Case& c) {
  const nlohmann::json how = c.json("case.json");
  REQUIRE(how.at("pairs") == "interleaved (2i, 2i+1)");
  const std::vector<double> at = read_npy(c / "positions.npy").values;
  Array<real, 2> x = rows_of(c, "x.npy");  // (B, T) rows
  const size_t T = at.size(), D = x.shape(1);
  std::vector<double> frequencies(D / 2);
  rope_inverse_frequencies(how.at("theta"), frequencies);
  Array<real, 2> cosine = unwritten<2>({T, D / 2}), sine = cosine;
  rope_angles(std::vector<std::int32_t>(at.begin(), at.end()), frequencies, {view(cosine), view(sine)});
  for (size_t n = 0; n < x.shape(0); n += T)
    rope_forward({&x(n, 0), {T, 1, D}}, {view(cosine), view(sine)}, RopePairing::interleaved);
  CHECK(difference(x, rows_of(c, "expected.npy"), layer_tolerance) == "");
}

bool is_function(const Case& c) { return c.files == std::vector<std::string>{"expected.npy", "x.npy"}; }

// Softmax where the results are distributions, else SiLU, which is SwiGLU with an up of 1.
void check_function(const Case& c) {
  const Array<real, 2> expected = rows_of(c, "expected.npy");
  Array<real, 2> x = rows_of(c, "x.npy");
  if (is_distribution(expected)) {
    Array<real, 2> plain = x;
    for (size_t n = 0; n < x.shape(0); ++n) softmax(view(x)[n]), plain_softmax(view(plain)[n]);
    CHECK(difference(plain, expected, layer_tolerance) == "");
  } else {
    const Array<real, 2> up(x.shape(), real(1));
    swiglu_forward(view<real, 2>(x), view(up), view(x));
  }
  CHECK(difference(x, expected, layer_tolerance) == "");
}

}  // namespace cria::testing
