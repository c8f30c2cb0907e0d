// GGUF files and the block types in them.
#include <cstring>
#include <fstream>

#include "lib/formats/encode.hpp"
#include "lib/formats/gguf.hpp"
#include "lib/formats/gguf_write.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

void put(std::string& out, auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }
void put_text(std::string& out, std::string_view text) {
  put(out, std::uint64_t{text.size()});
  out.append(text);
}

// A small file, piece by piece, so that a test can spoil any of them.
struct Draft {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t tensor_count = 1, key_count = 1;
  std::string keys = key("answer", 4, [](std::string& out) { put(out, std::uint32_t{42}); });
  std::string tensor_name = "x";
  std::vector<std::uint64_t> shape{2, 3};
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
  std::string data = std::string(24, '\1');
  std::string more_tensors = "";

  static std::string key(const std::string& name, std::uint32_t type, const std::function<void(std::string&)>& value) {
    std::string out;
    put_text(out, name);
    put(out, type);
    value(out);
    return out;
  }

  std::string entry() const {
    std::string out;
    put_text(out, tensor_name);
    put(out, static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t extent : shape) put(out, extent);
    put(out, type);
    put(out, offset);
    return out;
  }

  std::string bytes() const {
    std::string out = magic;
    put(out, version);
    put(out, tensor_count);
    put(out, key_count);
    out += keys + entry() + more_tensors;
    out.resize((out.size() + 31) / 32 * 32);
    return out + data;
  }
};

// What the reader says of these bytes; nothing when it takes them.
std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  std::ofstream(folder / "model.gguf", std::ios::binary) << bytes;
  try {
    const GgufFile file(folder / "model.gguf");
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a GGUF file survives writing and reading") {
  const TemporaryFolder folder;
  const auto weight = random_array<2>({3, 64}, 1);
  const auto bias = random_array<1>({5}, 2);
  const std::vector<std::string> words{"a", "", "hello"};
  GgufMetadata metadata;
  metadata.add("general.architecture", "llama");
  metadata.add("llama.block_count", std::uint32_t{2});
  metadata.add("eps", 1e-5f);
  metadata.add("adds", true);
  metadata.add("words", std::span<const std::string>(words));
  metadata.add("numbers", std::span<const std::int32_t>(std::vector<std::int32_t>{-1, 7}));
  write_gguf(folder / "a.gguf", metadata,
             std::vector<TensorToWrite>{{"weight", {3, 64}, view(weight).span(), ElementType::f32},
                                        {"bias", {5}, view(bias).span(), ElementType::f16}});
  CHECK(is_gguf(folder / "a.gguf"));
  const GgufFile file(folder / "a.gguf");
  CHECK(file.find("general.architecture")->text() == "llama");
  CHECK(file.find("llama.block_count")->whole() == 2u);
  CHECK(file.find("eps")->number() == double(1e-5f));
  CHECK(file.find("adds")->truth() == true);
  CHECK(file.find("words")->texts() == std::vector<std::string_view>{"a", "", "hello"});
  CHECK(file.find("numbers")->numbers() == std::vector<double>{-1, 7});
  CHECK(file.find("words")->whole() == std::nullopt);
  CHECK(file.find("none") == nullptr);
  Array<real, 2> read_weight({3, 64});
  file.copy_to("weight", std::vector<size_t>{3, 64}, view(read_weight).span());
  CHECK(difference(read_weight, weight, sizeof(real) == 8 ? 0x1p-23 : 0) == "");  // as F32, below 4
  Array<real, 1> read_bias(std::array<size_t, 1>{5});
  file.copy_to("bias", std::vector<size_t>{5}, view(read_bias).span());
  CHECK(difference(read_bias, bias, 5e-4) == "");  // half of 2^-10 of a number below 1

  // Copied key by key, the metadata is the same bytes.
  GgufMetadata copied;
  for (const auto& [key, value] : file.metadata()) copied.add(key, value);
  CHECK(copied.bytes() == metadata.bytes());
}

TEST_CASE("every fault of a GGUF file is named") {
  CHECK(refusal(Draft().bytes()) == "");
  const auto u64_text = [](std::uint64_t size) { return [size](std::string& out) { put(out, size); }; };
  const std::vector<std::pair<Draft, std::string>> faults{
      {{.magic = "GGML"}, "expected it to begin with \"GGUF\""},
      {{.version = 1}, "version 1, expected 2 or 3"},
      {{.data = std::string(24 + 32, '\1')}, "32 bytes follow the last tensor"},
      {{.version = 0x03000000}, "big-endian"},
      {{.tensor_count = 2}, "axes, expected at most 4"},  // what follows is read as a tensor
      {{.tensor_count = std::uint64_t{1} << 60}, "expected at most"},
      {{.key_count = std::uint64_t{1} << 63}, "expected at most"},
      {{.keys = Draft::key("", 4, [](std::string& out) { put(out, 1u); })}, "has no name"},
      {{.keys = Draft::key("k", 13, [](std::string& out) { put(out, 1u); })}, "unknown type 13"},
      {{.keys = Draft::key("k", 7, [](std::string& out) { put(out, '\2'); })}, "no truth"},
      {{.keys = Draft::key("k", 8, u64_text(std::uint64_t{1} << 63))}, "cut off"},
      {{.keys = Draft::key("k", 9, [](std::string& out) { put(out, 9u), put(out, std::uint64_t{1}); })},
       "array of arrays"},
      {{.keys = Draft::key("k", 9, [](std::string& out) { put(out, 12u), put(out, std::uint64_t{1} << 61); })},
       "longer than any file"},
      {{.key_count = 2, .keys = Draft().keys + Draft().keys}, "twice"},
      {{.keys = Draft::key("general.alignment", 4, [](std::string& out) { put(out, 24u); })}, "power of two"},
      {{.keys = Draft::key("general.alignment", 4, [](std::string& out) { put(out, 1u << 30); })}, "power of two"},
      {{.shape = {2, 3, 1, 1, 1}}, "5 axes, expected at most 4"},
      {{.shape = {2, 0}}, "no axis of 0"},
      {{.shape = {std::uint64_t{1} << 33, std::uint64_t{1} << 33}}, "larger than any memory"},
      {{.type = 99}, "GGML's type 99"},
      {{.type = 2}, "multiple of 32"},
      {{.offset = 32}, "cut off"},
      {{.offset = 1}, "expected a multiple of 32"},
      {{.offset = ~std::uint64_t{31}}, "cut off"},
      {{.tensor_count = 2, .more_tensors = Draft().entry()}, "overlaps"},
      {{.tensor_count = 2, .offset = 32, .data = std::string(56, '\1'), .more_tensors = Draft().entry()}, "twice"}};
  for (const auto& [draft, expected] : faults) {
    INFO(expected);
    CHECK_THAT(refusal(draft.bytes()), contains(expected));
  }
}

TEST_CASE("a GGUF file cut off anywhere is refused") {
  const std::string whole = Draft().bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    INFO("the first " << size << " bytes");
    CHECK(refusal(whole.substr(0, size)) != "");
  }
}

TEST_CASE("a block holds the nearest codes") {
  const auto values = random_array<1>({32 * 50}, 3);
  const auto type = GENERATE(ElementType::q8_0, ElementType::q4_0);
  std::string bytes;
  encode_elements(type, view(values).span(), bytes);
  std::vector<float> decoded(values.size());
  convert_elements(type, reinterpret_cast<const std::byte*>(bytes.data()), std::span(decoded));
  for (size_t block = 0; block < 50; ++block) {
    double largest = 0, error = 0;
    for (size_t i = 32 * block; i < 32 * block + 32; ++i) {
      largest = std::max(largest, std::abs(double(values(i))));
      error = std::max(error, std::abs(double(values(i)) - decoded[i]));
    }
    // Half a step, and the scale's own rounding to float16 (2^-11 of the value). Of the 16 codes of Q4_0 -8 … 7 the
    // side away from the extreme has one less, so a value there may be a whole step off.
    CHECK(error <= (type == ElementType::q8_0 ? 0.5 / 127 + 0x1p-11 : 1.0 / 8 + 0x1p-11) * largest);
    CHECK(error > 0);
  }
}
