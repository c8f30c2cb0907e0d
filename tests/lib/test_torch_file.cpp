// PyTorch's files: a zip archive, a pickle that is read as data, and tensors.
#include <cstring>
#include <fstream>

#include "lib/formats/pickle.hpp"
#include "lib/formats/torch_file.hpp"
#include "tests/testing.hpp"
#include "tests/torch_writer.hpp"

using namespace cria;
using namespace cria::testing;
using namespace cria::testing::torch;
using namespace std::string_literals;

namespace {

/// What torch.save writes for one tensor.
struct Draft {
  std::string storage = "FloatStorage", key = "0", name = "w";
  std::int32_t count = 6, offset = 0;
  std::vector<std::int32_t> shape{2, 3}, strides{3, 1};
  std::string before = "";
  std::string end = ".";

  std::string pickle() const {
    return "\x80\x02"s + before + "}(" + torch_item(name, storage, key, count, offset, shape, strides) + "u" + end;
  }
  std::string bytes() const {
    return zip(
        {{"a/data.pkl", pickle()}, {"a/byteorder", "little"}, {"a/data/0", packed(0.f, 1.f, 2.f, 3.f, 4.f, 5.f)}});
  }
};

std::vector<real> read_w(const std::string& bytes, std::vector<size_t> shape) {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.pth", std::ios::binary) << bytes;
  const TorchFile file(folder / "a.pth");
  std::vector<real> values;
  size_t count = 1;
  for (const size_t extent : shape) count *= extent;
  values.resize(count);
  file.tensors().copy_to("w", shape, values);
  return values;
}

std::string refusal(const std::string& bytes) {
  try {
    read_w(bytes, {2, 3});
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a tensor of a PyTorch file is read row by row, whatever its strides") {
  CHECK(read_w(Draft().bytes(), {2, 3}) == std::vector<real>{0, 1, 2, 3, 4, 5});
  CHECK(read_w(Draft{.shape = {3, 2}, .strides = {1, 3}}.bytes(), {3, 2}) == std::vector<real>{0, 3, 1, 4, 2, 5});
  CHECK(read_w(Draft{.offset = 2, .shape = {2, 2}, .strides = {2, 1}}.bytes(), {2, 2}) ==
        std::vector<real>{2, 3, 4, 5});
  CHECK(read_w(Draft{.offset = 5, .shape = {1}, .strides = {1}}.bytes(), {1}) == std::vector<real>{5});
}

TEST_CASE("every fault of a PyTorch file is named, and nothing in it is called") {
  const std::vector<std::pair<std::string, std::string>> faults{
      {Draft{.storage = "IntStorage"}.bytes(), "names torch.IntStorage"},
      {Draft{.before = global("os", "system") + "(" + text("touch x") + "tR0"}.bytes(), "names os.system"},
      {Draft{.count = 7}.bytes(), "fewer than 7 numbers"},
      {Draft{.offset = 1}.bytes(), "reaches beyond its storage"},
      {Draft{.offset = -1}.bytes(), "negative"},
      {Draft{.shape = {2, -3}}.bytes(), "no whole numbers"},
      {Draft{.strides = {4, 1}}.bytes(), "reaches beyond its storage"},
      {Draft{.shape = {1000, 1000}, .strides = {0, 0}}.bytes(), "reaches beyond its storage"},
      {Draft{.strides = {1}}.bytes(), "another number of strides"},
      {Draft{.key = "../0"}.bytes(), "no such storage"},
      {Draft{.key = "1"}.bytes(), "no such storage"},
      {Draft{.end = ""}.bytes(), "is cut off"},
      {Draft{.end = "h\x63."}.bytes(), "not there"},
      {Draft{.end = "\x93."}.bytes(), "opcode 0x93"},
      {zip({{"a/data.pkl", "\x80\x02K\x01."s}}), "no dictionary"},
      {zip({{"a/data.pkl", "\x80\x04}."s}}), "protocol 4"},
      {zip({{"a/other", ""}}), "data.pkl"},
      {zip({{"a/data.pkl", Draft().pickle()}, {"a/byteorder", "big"}}), "big-endian"},
      {zip({{"a/data.pkl", "x"}}, 8), "compressed"},
      {zip({{"a/../data.pkl", "x"}}), "leads out"},
      {zip({{"a/data.pkl", "x"}, {"a/data.pkl", "x"}}), "one name"},
      {"PK", "too short"},
      {std::string(100, 'x'), "its end is missing"}};
  for (const auto& [bytes, expected] : faults) {
    INFO(expected);
    CHECK_THAT(refusal(bytes), contains(expected));
  }
}

TEST_CASE("a PyTorch file cut off anywhere is refused") {
  const std::string whole_file = Draft().bytes();
  for (size_t size = 0; size < whole_file.size(); ++size) {
    INFO("the first " << size << " bytes");
    CHECK(refusal(whole_file.substr(0, size)) != "");
  }
}
