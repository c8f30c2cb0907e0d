#include <chrono>
#include <cstring>
#include <fstream>
#include <numeric>

#include "lib/base/file.hpp"
#include "lib/formats/npy.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

// A file with this header, of this length unless another is claimed.
std::string file_bytes(const std::string& header, const std::string& data, std::optional<std::uint64_t> claim = {}) {
  const std::uint64_t length = claim.value_or(header.size());
  return std::string(reinterpret_cast<const char*>(&length), 8).append(header).append(data);
}

// One tensor "x" with this dtype and shape over all of the data.
std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& data) {
  return file_bytes(
      fmt::format(R"({{"x":{{"dtype":"{}","shape":{},"data_offsets":[0,{}]}}}})", dtype, shape, data.size()), data);
}

// The values of "x" in such a file.
template <size_t N>
std::vector<real> read_x(const std::string& bytes, const Shape<N>& shape) {
  const TemporaryFolder folder;
  std::ofstream(folder / "model.safetensors", std::ios::binary) << bytes;
  std::vector<real> values(element_count(shape));
  SafetensorsFile(folder / "model.safetensors").copy_to("x", View<real, N>(values.data(), shape));
  return values;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

}  // namespace

TEST_CASE("tensors and metadata survive writing and reading, in order") {
  const TemporaryFolder folder;
  std::vector<real> weight(150'000), bias{real(0.1), -2};  // more than one piece of the writer
  std::iota(weight.begin(), weight.end(), real(0.25));
  const ElementType type = GENERATE(ElementType::f32, ElementType::f64);
  const std::vector<TensorToWrite> tensors{{"weight", {3, 50'000}, weight, type},
                                           {"bias", {2}, bias, type},
                                           {"none", {0, 4}, {}, type},
                                           {"scalar", {}, std::span(bias).last(1), type}};
  write_safetensors(folder / "a.safetensors", tensors, {{"format", "pt"}, {"by", "a \"test\"\n"}});

  const SafetensorsFile file(folder / "a.safetensors");
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"by", "a \"test\"\n"}});
  REQUIRE(file.tensors().size() == 4);
  for (size_t i = 0; i < 4; ++i) CHECK(file.tensors()[i].name == tensors[i].name);
  CHECK(file.tensor("none").shape == std::vector<size_t>{0, 4});
  CHECK(file.tensor("scalar").shape.empty());
  CHECK(file.find("other") == nullptr);

  std::vector<real> read(weight.size());
  file.copy_to("weight", View<real, 2>(read.data(), {3, 50'000}));
  CHECK(read == weight);  // small multiples of 1/4: exact as float
  std::vector<real> read_bias(2);
  file.copy_to("bias", View<real, 1>(read_bias.data(), {2}));
  CHECK(read_bias[0] == (type == ElementType::f32 ? real(float(bias[0])) : bias[0]));
}

TEST_CASE("the file is laid out as the reference implementation writes it") {
  const TemporaryFolder folder;
  const std::vector<real> values{1, 2};
  const std::vector<TensorToWrite> tensors{{"x", {2}, values}};
  write_safetensors(folder / "x.safetensors", tensors);
  const std::string header = R"({"__metadata__":{"format":"pt"},"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  CHECK(header.size() == 85);  // so three blanks make it a multiple of 8
  CHECK(read_file(folder / "x.safetensors") == file_bytes(header + "   ", bytes_of<float>({1, 2})));
}

TEST_CASE("what cannot be a file is refused before anything is written") {
  const TemporaryFolder folder;
  const std::vector<real> values{1, 2}, block(32);
  const std::vector<TensorToWrite> twice{{"x", {2}, values}, {"x", {2}, values}}, wrong{{"x", {3}, values}},
      reserved{{"__metadata__", {2}, values}}, integers{{"x", {2}, values, ElementType::i32}},
      blocks{{"x", {1, 32}, block, ElementType::q8_0}};
  for (const auto& tensors : {twice, wrong, reserved, integers, blocks})
    CHECK_THROWS_AS(write_safetensors(folder / "x.safetensors", tensors, {}), ContractError);
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_THROWS_WITH(write_safetensors(folder / "no" / "x.safetensors", {}), contains("no/x.safetensors"));
}

TEST_CASE("every floating type is converted exactly, integers are not taken for weights") {
  const std::vector<real> expected{1, -2};
  CHECK(read_x(one_tensor("F64", "[2]", bytes_of<double>({1, -2})), Shape<1>{2}) == expected);
  CHECK(read_x(one_tensor("F32", "[1,2]", bytes_of<float>({1, -2})), Shape<2>{1, 2}) == expected);
  CHECK(read_x(one_tensor("F16", "[2]", bytes_of<std::uint16_t>({0x3C00, 0xC000})), Shape<1>{2}) == expected);
  CHECK(read_x(one_tensor("BF16", "[2]", bytes_of<std::uint16_t>({0x3F80, 0xC000})), Shape<1>{2}) == expected);
  CHECK_THROWS_WITH(read_x(one_tensor("I32", "[2]", bytes_of<int>({1, -2})), Shape<1>{2}),
                    contains("tensor \"x\" has type I32, expected numbers with a fraction"));
}

TEST_CASE("a missing tensor or one of another shape is named with what was expected") {
  const std::string good = one_tensor("F32", "[2]", bytes_of<float>({1, 2}));
  CHECK_THROWS_WITH(read_x(good, Shape<2>{2, 1}),
                    contains("model.safetensors: tensor \"x\" has shape (2), expected (2, 1)"));
  CHECK_THROWS_WITH(read_x(file_bytes("{}", ""), Shape<1>{2}), contains("tensor \"x\" is missing"));
  CHECK_THROWS_WITH(SafetensorsFile("no/such.safetensors"), contains("no/such.safetensors"));
}

TEST_CASE("a damaged file is refused with one line that names it") {
  const std::string data = bytes_of<float>({1, 2});
  const std::string good = one_tensor("F32", "[2]", data);
  CHECK(read_x(good, Shape<1>{2}) == std::vector<real>{1, 2});
  const auto refused = [](const std::string& bytes, const std::string& reason) {
    INFO(reason);
    try {
      read_x(bytes, Shape<1>{2});
      FAIL("it was read");
    } catch (const UserError& error) {
      const std::string message = error.what();
      CHECK_THAT(message, contains("model.safetensors: ") && contains(reason));
      CHECK(message.find('\n') == std::string::npos);
    }
  };
  const auto header_refused = [&](const std::string& header, const std::string& reason) {
    refused(file_bytes(header, data), reason);
  };

  // The length, and the file cut off anywhere.
  for (size_t size = 0; size < 8; ++size) refused(good.substr(0, size), "fewer than 8");
  for (size_t size = 8; size < good.size() - 8; ++size) refused(good.substr(0, size), "ends within its header");
  for (size_t size = good.size() - 8; size < good.size(); ++size) refused(good.substr(0, size), "is it cut off?");
  refused(file_bytes("{}", "", 100'000'001), "its header would be 100000001 bytes long");
  refused(file_bytes("{}", "", ~std::uint64_t(0)), "its header would be");
  refused(file_bytes("", ""), "does not begin with '{'");

  // The JSON.
  header_refused(" {}", "does not begin with '{'");
  header_refused("{", "not valid JSON at byte 2");
  header_refused("{}x", "not valid JSON");
  header_refused(std::string("{}\0\0", 4), "not valid JSON at byte 3");
  header_refused("{\"\xff\":1}", "not valid JSON");
  header_refused(R"({"x":1e999})", "not valid JSON");
  header_refused(fmt::format(R"({{"x":{:[>1000}{:]>1000}}})", "", ""), "nested too deeply");
  header_refused(R"({"x":1,"x":2})", "the header has \"x\" twice");
  header_refused(R"({"x":{"dtype":"F32","dtype":"F64"}})", "the header has \"dtype\" twice");
  header_refused(R"({"__metadata__":{"a":1}})", "to hold strings only");
  header_refused(R"({"__metadata__":"a"})", "to hold strings only");

  // One tensor.
  const auto tensor_refused = [&](const std::string& fields, const std::string& reason) {
    const std::string header = fmt::format(R"({{"x\n":{{{}}}}})", fields);
    header_refused(header, R"(tensor "x\n")");
    header_refused(header, reason);
  };
  header_refused(R"({"x":[]})", "expected an object");
  tensor_refused(R"("shape":[2],"data_offsets":[0,8])", "\"dtype\" to be a string");
  tensor_refused(R"("dtype":7,"shape":[2],"data_offsets":[0,8])", "\"dtype\" to be a string");
  header_refused(R"({"x":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}})", "\"x\" has the unknown dtype \"F7\"");
  tensor_refused(R"("dtype":"F32","data_offsets":[0,8])", "\"shape\" to be a list of whole numbers");
  tensor_refused(R"("dtype":"F32","shape":2,"data_offsets":[0,8])", "\"shape\" to be a list");
  tensor_refused(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", "\"shape\" to be a list");
  tensor_refused(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])", "\"shape\" to be a list");
  tensor_refused(R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])", "\"shape\" to be a list");
  tensor_refused(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])", "larger than any memory");
  tensor_refused(R"("dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4])", "larger than any memory");
  tensor_refused(R"("dtype":"F32","shape":[2])", "\"data_offsets\" to be a list");
  tensor_refused(R"("dtype":"F32","shape":[2],"data_offsets":[8])", "a beginning and an end");
  tensor_refused(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])", "a beginning and an end");
  tensor_refused(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])",
                 "ends at byte 12 of the data, but the file has only 8");
  tensor_refused(R"("dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615])", "but the file has only 8");
  tensor_refused(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])", "has 8 bytes, but shape (3) of F32 needs 12");
  tensor_refused(R"("dtype":"F64","shape":[],"data_offsets":[0,4])", "has 4 bytes, but shape () of F64 needs 8");

  // The tensors together.
  struct Extent {
    const char* name;
    int begin, end;
  };
  const auto tiling_refused = [&](std::initializer_list<Extent> tensors, const std::string& reason) {
    std::string entries;
    for (const auto& [name, begin, end] : tensors)
      entries += fmt::format(R"({}"{}":{{"dtype":"U8","shape":[{}],"data_offsets":[{},{}]}})",
                             entries.empty() ? "" : ",", name, end - begin, begin, end);
    header_refused(fmt::format("{{{}}}", entries), reason);
  };
  tiling_refused({{"a", 0, 5}, {"b", 4, 8}}, "\"b\" begins at byte 4 of the data, expected 5: it overlaps another");
  tiling_refused({{"a", 0, 3}, {"b", 4, 8}}, "\"b\" begins at byte 4 of the data, expected 3: there is a gap");
  tiling_refused({{"a", 0, 8}, {"b", 3, 3}}, "\"b\" begins at byte 3 of the data, expected 8: it overlaps another");
  tiling_refused({{"a", 1, 8}}, "\"a\" begins at byte 1 of the data, expected 0");
  tiling_refused({{"a", 0, 7}}, "1 bytes follow the last tensor");
  header_refused("{}", "8 bytes follow the last tensor");
}

TEST_CASE("a tensor of a dtype that is not known does no harm until it is asked for") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.safetensors", std::ios::binary)
      << file_bytes(R"({"__metadata__":null,"q":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]},)"
                    R"("x":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                    "abcd" + bytes_of<float>({1, -2}));
  const SafetensorsFile file(folder / "a.safetensors");
  CHECK(file.metadata().empty());
  REQUIRE(file.tensors().size() == 1);
  std::vector<real> x(2);
  file.copy_to("x", View<real, 1>(x.data(), {2}));
  CHECK(x == std::vector<real>{1, -2});
  CHECK_THROWS_AS(file.tensor("q"), UserError);
  CHECK_THROWS_WITH(file.find("q"), contains("tensor \"q\" has the unknown dtype \"F8_E4M3\", expected F64"));
}

TEST_CASE("a header of 30000 tensors is read in time that grows as its length") {
  std::string header = "{";
  constexpr size_t count = 30'000;
  for (size_t i = 0; i < count; ++i)
    header += fmt::format(R"({}"t{}":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}})", i ? "," : "", i, i, i + 1);
  const TemporaryFolder folder;
  std::ofstream(folder / "a.safetensors", std::ios::binary) << file_bytes(header + "}", std::string(count, 'x'));
  const auto start = std::chrono::steady_clock::now();
  CHECK(SafetensorsFile(folder / "a.safetensors").tensors().size() == count);
  // 0.1 s on a slow machine; it took 12 s when it grew as the square of the length.
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}

TEST_CASE("a file with any one bit of its header flipped is refused, but for the few flips that do no harm") {
  const std::string good = one_tensor("F32", "[2]", bytes_of<float>({1, 2}));
  const size_t bits = 8 * (good.size() - 8);
  size_t refused = 0;
  for (size_t bit = 0; bit < bits; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    try {
      read_x(bytes, Shape<1>{2});
    } catch (const UserError&) {
      ++refused;
    }
  }
  CHECK(bits - refused == 0);
}

TEST_CASE("a real model's embedding is the first hidden state of its tokens") {
  const auto cases = cases_folder();
  if (!cases) return;
  for (const char* name : {"gqa_8_2", "mha_llama2", "llama3_theta5e5", "one_token", "tied_llama2"}) {
    const auto folder = *cases / "forward" / name;
    const SafetensorsFile file(folder / "model.safetensors");
    const StoredTensor& stored = file.tensor("model.embed_tokens.weight");
    std::vector<real> embedding(stored.shape[0] * stored.shape[1]);
    file.copy_to("model.embed_tokens.weight", View<real, 2>(embedding.data(), {stored.shape[0], stored.shape[1]}));
    const NpyArray tokens = read_npy(folder / "tokens.npy"), hidden = read_npy(folder / "hidden_0.npy");
    const size_t width = stored.shape[1];
    REQUIRE(hidden.values.size() == tokens.values.size() * width);
    for (size_t i = 0; i < hidden.values.size(); ++i)
      REQUIRE(hidden.values[i] == embedding[static_cast<size_t>(tokens.values[i / width]) * width + i % width]);
  }
}
