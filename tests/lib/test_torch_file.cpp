// PyTorch's files: a zip archive, a pickle that is read as data, and tensors.
#include <cstring>
#include <fstream>

#include "lib/formats/pickle.hpp"
#include "lib/formats/torch_file.hpp"
#include "tests/lib/torch_draft.hpp"
#include "tests/testing.hpp"

using namespace cria;
using namespace cria::testing;
using namespace cria::testing::torch;

namespace {

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
  CHECK(read_w(TorchDraft().bytes(), {2, 3}) == std::vector<real>{0, 1, 2, 3, 4, 5});
  CHECK(read_w(TorchDraft{.shape = {3, 2}, .strides = {1, 3}}.bytes(), {3, 2}) == std::vector<real>{0, 3, 1, 4, 2, 5});
  CHECK(read_w(TorchDraft{.offset = 2, .shape = {2, 2}, .strides = {2, 1}}.bytes(), {2, 2}) ==
        std::vector<real>{2, 3, 4, 5});
  CHECK(read_w(TorchDraft{.offset = 5, .shape = {1}, .strides = {1}}.bytes(), {1}) == std::vector<real>{5});
}

TEST_CASE("every fault of a PyTorch file is named, and nothing in it is called") {
  const std::vector<std::pair<std::string, std::string>> faults{
      {TorchDraft{.storage = "IntStorage"}.bytes(), "names torch.IntStorage"},
      {TorchDraft{.before = global("os", "system") + "(" + text("touch x") + "tR0"}.bytes(), "names os.system"},
      {TorchDraft{.count = 7}.bytes(), "fewer than 7 numbers"},
      {TorchDraft{.offset = 1}.bytes(), "reaches beyond its storage"},
      {TorchDraft{.offset = -1}.bytes(), "negative"},
      {TorchDraft{.shape = {2, -3}}.bytes(), "no whole numbers"},
      {TorchDraft{.strides = {4, 1}}.bytes(), "reaches beyond its storage"},
      {TorchDraft{.shape = {1000, 1000}, .strides = {0, 0}}.bytes(), "reaches beyond its storage"},
      {TorchDraft{.strides = {1}}.bytes(), "another number of strides"},
      {TorchDraft{.key = "../0"}.bytes(), "no such storage"},
      {TorchDraft{.key = "1"}.bytes(), "no such storage"},
      {TorchDraft{.end = ""}.bytes(), "is cut off"},
      {TorchDraft{.end = "h\x63."}.bytes(), "not there"},
      {TorchDraft{.end = ".."}.bytes(), "goes on for 1 bytes after its end"},
      {TorchDraft{.end = "\x93."}.bytes(), "opcode 0x93"},
      {zip({{"a/data.pkl", "\x80\x02K\x01."s}}), "no dictionary"},
      {zip({{"a/data.pkl", "\x80\x04}."s}}), "protocol 4"},
      {zip({{"a/other", ""}}), "data.pkl"},
      {zip({{"a/data.pkl", TorchDraft().pickle()}, {"a/byteorder", "big"}}), "big-endian"},
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

TEST_CASE("entries of a PyTorch file that overlap are refused") {
  std::string bytes = TorchDraft().bytes();
  const size_t entry = bytes.find("PK\x01\x02");  // of data.pkl; the next one begins where it ends
  for (const size_t size_field : {20, 24}) ++bytes[entry + size_field];
  CHECK_THAT(refusal(bytes), contains("two entries overlap"));
}

TEST_CASE("tensors that share a storage out of order cannot take more memory than the file has") {
  const std::vector<float> numbers(4000);
  TorchDraft draft{.count = 4000, .shape = {40, 100}, .strides = {1, 40}};
  const auto with_tensors = [&](int count) {
    std::string pickle = "\x80\x02}(";
    for (int i = 0; i < count; ++i) {
      draft.name = i == 0 ? "w" : std::to_string(i);
      pickle += draft.entry();
    }
    const std::string storage(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
    return zip({{"a/data.pkl", pickle + "u."}, {"a/data/0", storage}});
  };
  CHECK(read_w(with_tensors(1), {40, 100}).size() == 4000);
  CHECK_THAT(refusal(with_tensors(2)), contains("more numbers out of order than the file holds"));
}

TEST_CASE("a PyTorch file cut off anywhere is refused") {
  const std::string whole_file = TorchDraft().bytes();
  for (size_t size = 0; size < whole_file.size(); ++size) {
    INFO("the first " << size << " bytes");
    CHECK(refusal(whole_file.substr(0, size)) != "");
  }
}
