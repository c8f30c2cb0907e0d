// Files that are damaged, odd or made to mislead: each is read rightly, or refused by one line, and nothing is run.
#include <algorithm>
#include <map>

#include "chapters/12-open-weights/open_model.hpp"
#include "lib/base/file.hpp"
#include "lib/formats/gguf.hpp"
#include "lib/formats/safetensors.hpp"
#include "tests/apart.hpp"
#include "tests/cases/case.hpp"
#include "tests/testing.hpp"

namespace cria::testing {
namespace {

namespace fs = std::filesystem;

/// Of every tensor in a file its bytes by name, as they lie in it.
using Tensors = std::vector<std::pair<std::string, std::string>>;
Tensors read_tensors(const fs::path& file) {
  Tensors tensors;
  const auto add = [&](const std::vector<StoredTensor>& all) {
    for (const StoredTensor& tensor : all)
      tensors.emplace_back(tensor.name,
                           std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  };
  if (is_gguf(file))
    add(GgufFile(file).tensors().all());
  else
    add(SafetensorsFile(file).tensors());
  return tensors;
}

bool is_tensor_file(const std::string& name) { return name.ends_with(".safetensors") || name.ends_with(".bin"); }

/// The list of another project's tests: which file is to be understood, and where its tensors lie.
nlohmann::json list_of(const Case& c) {
  for (const std::string& file : c.files)
    if (file.ends_with("vectors.json")) return c.json(file).at("cases");
  return nlohmann::json::array();
}

}  // namespace

bool lists_hostile_models(const Case& c) {
  return c.has("manifest.json") && c.json("manifest.json").contains("cases") &&
         c.json("manifest.json").contains("canary");
}

void check_hostile_models(const Case& c) {
  const nlohmann::json manifest = c.json("manifest.json");
  const std::string canary = manifest.at("canary");
  for (const auto& entry : manifest.at("cases")) {
    const std::string folder = entry.at("folder"), expect = entry.at("expect");
    INFO(folder << ": " << entry.at("reason"));
    // Where such a file is accepted, it is as the valid one.
    const Apart opened = run_apart([&] {
      const std::string wrong =
          logit_difference(open_model(c / folder).weights, c / "tokens_valid.npy", c / "logits_valid_f64.npy");
      require(wrong.empty(), "logits", wrong.c_str());
    });
    CAPTURE(opened.message);
    CHECK(fault_of(opened) == "");
    if (expect != "either") CHECK(opened.code == (expect == "accept" ? 0 : 2));
    if (opened.code == 2) CHECK_THAT(opened.message, contains((c / folder).string()));
    for (const fs::path& place : {fs::current_path(), fs::path("/tmp"), c.folder})
      CHECK_FALSE(fs::exists(place / canary));
  }
}

bool has_tensor_files(const Case& c) {
  const auto count = size_t(std::ranges::count_if(c.files, is_tensor_file));
  return count > 0 && (count == c.files.size() || !list_of(c).empty());
}

void check_tensor_files(const Case& c) {
  std::map<std::string, std::string> known;  // a tensor has the same bytes in every file of the folder
  for (const std::string& file : c.files) {
    if (!is_tensor_file(file)) continue;
    INFO(file);
    const Apart read = run_apart([&] { read_tensors(c / file); });
    CAPTURE(read.message);
    CHECK(fault_of(read) == "");
    if (read.code != 0) continue;
    for (const auto& [name, bytes] : read_tensors(c / file)) CHECK(known.emplace(name, bytes).first->second == bytes);
  }
  for (const auto& entry : list_of(c)) {
    const std::string name = entry.at("name"), file = name + ".bin";
    if (!c.has(file) || entry.at("classification") != "semantic") continue;
    INFO(file);
    const std::string bytes = read_file(c / file);
    std::vector<std::string> expected, actual;
    for (const auto& object : entry.at("expected").at("objects"))
      if (object.at("kind") == "tensor") expected.push_back(bytes.substr(object.at("offset"), object.at("length")));
    for (const auto& [tensor, contents] : read_tensors(c / file)) actual.push_back(contents);
    CHECK(actual == expected);
  }
}

}  // namespace cria::testing
