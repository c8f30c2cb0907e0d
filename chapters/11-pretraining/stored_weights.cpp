#include "chapters/11-pretraining/stored_weights.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "chapters/11-pretraining/json_keys.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace fs = std::filesystem;
namespace {

constexpr const char* embedding = "model.embed_tokens.weight";
constexpr const char* head = "lm_head.weight";

// {"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors", …}}
std::map<std::string, std::string> read_index(const fs::path& file) {
  const JsonKeys index(file);
  if (!index.value("weight_map").is_object()) index.fail("weight_map is not an object of tensors and their files");
  std::map<std::string, std::string> file_of;
  for (const auto& [tensor, name] : index.value("weight_map").items()) {
    if (!name.is_string() || fs::path(name.get<std::string>()).filename() != name.get<std::string>())
      index.fail(fmt::format("weight_map has {} for {}, expected the name of a file in this folder", shown_json(name),
                             shown_json(tensor)));
    file_of[tensor] = name;
  }
  if (file_of.empty()) index.fail("weight_map is empty");
  return file_of;
}

// Whether the folder has model-00001-of-00003.safetensors or the like.
bool has_parts(const fs::path& folder) {
  if (!fs::is_directory(folder)) return false;
  return std::ranges::any_of(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename();
    return name.starts_with("model-") && name.find("-of-") != name.npos && name.ends_with(".safetensors");
  });
}

}  // namespace

StoredWeights::StoredWeights(const fs::path& where) : path_(where) {
  if (fs::is_directory(where)) path_ = where / "model.safetensors";
  const fs::path index = where / "model.safetensors.index.json";
  if (fs::exists(path_) || !(fs::exists(index) || has_parts(where))) {
    files_.emplace_back(path_);
    return;
  }
  path_ = index;
  if (!fs::exists(index)) fail("it is missing, and says which of the files holds what");
  const auto file_of = read_index(index);
  std::set<std::string> names;
  for (const auto& [tensor, name] : file_of) names.insert(name);
  std::map<std::string, size_t> place;
  std::map<std::string, std::string> found;  // tensor -> file
  for (const std::string& name : names) {
    place[name] = files_.size();
    files_.emplace_back(where / name);
    for (const StoredTensor& tensor : files_.back().tensors())
      if (const auto [first, is_new] = found.emplace(tensor.name, name); !is_new)
        fail(fmt::format("tensor {} is both in {} and in {}", in_quotes(tensor.name), first->second, name));
  }
  for (const auto& [tensor, name] : file_of)
    if (!files_[place[name]].find(tensor)) fail(fmt::format("tensor {} is not in {}", in_quotes(tensor), name));
}

void StoredWeights::fail(const std::string& message) const {
  throw UserError(fmt::format("{}: {}", path_.string(), message));
}

const StoredTensor* StoredWeights::find(std::string_view name) const { return file_of(name).find(name); }

// The first where none has it.
const SafetensorsFile& StoredWeights::file_of(std::string_view name) const {
  const auto found = std::ranges::find_if(files_, [&](const SafetensorsFile& file) { return file.find(name); });
  return found == files_.end() ? files_.front() : *found;
}

const StoredTensor& StoredWeights::find(const std::string& name, std::span<const size_t> shape) const {
  const StoredTensor* tensor = find(name);
  if (!tensor) fail(fmt::format("tensor {} is missing", in_quotes(name)));
  if (!std::ranges::equal(tensor->shape, shape))
    fail(fmt::format("tensor {} has shape {}, but config.json asks for {}", in_quotes(name), shape_text(tensor->shape),
                     shape_text(shape)));
  return *tensor;
}

template <class Visit>
void StoredWeights::for_each_stored(const LlamaConfig& config, Visit&& visit) const {
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  for_each_parameter(config, none, [&](const std::string& name, auto shape, auto&) {
    visit(stored_name(config, name), std::span<const size_t>(shape));
  });
}

// Of two tied tensors safetensors stores one, under either name.
std::string StoredWeights::stored_name(const LlamaConfig& config, const std::string& name) const {
  return config.tied_embeddings && name == embedding && !find(embedding) && find(head) ? head : name;
}

void StoredWeights::require_fit(const LlamaConfig& config) const {
  size_t stored = 0;
  for (const SafetensorsFile& file : files_) stored += file.tensors().size();
  if (config.layers > stored)
    fail(fmt::format("{} tensors are too few for num_hidden_layers {}", stored, config.layers));
  std::set<std::string, std::less<>> known = {head};  // which may stand there although it is tied
  for_each_stored(config, [&](const std::string& name, std::span<const size_t> shape) {
    for (std::string& part : parts(name, shape)) known.insert(std::move(part));
  });
  for (const SafetensorsFile& file : files_)
    for (const StoredTensor& tensor : file.tensors())
      // Old files keep RoPE's frequencies, which theta gives.
      if ((tensor.name.starts_with("model.") || tensor.name.starts_with("lm_head.")) && !known.contains(tensor.name) &&
          !tensor.name.ends_with("rotary_emb.inv_freq"))
        fail(fmt::format("tensor {} is not one that config.json asks for", in_quotes(tensor.name)));
  if (const auto* one = find(embedding), *other = find(head);
      config.tied_embeddings && one && other &&
      (one->type != other->type || !std::ranges::equal(one->bytes, other->bytes)))
    fail(fmt::format("\"{}\" and \"{}\" differ, but config.json says tie_word_embeddings", embedding, head));
}

const StoredTensor& StoredWeights::tensor(const LlamaConfig& config, const std::string& name) const {
  return *find(stored_name(config, name));
}

void StoredWeights::copy_to(const StoredTensor& tensor, std::span<const size_t> shape, std::span<real> values) const {
  file_of(tensor.name).copy_to(tensor.name, shape, values);
}

StoredTypes StoredWeights::types(const LlamaConfig& config) const {
  StoredTypes types;
  LlamaTensors<real> none;
  none.layers.resize(config.layers);
  for_each_parameter(config, none, [&](const std::string& name, auto, auto&) {
    if (const StoredTensor* tensor = find(stored_name(config, name))) types[name] = tensor->type;
  });
  return types;
}

size_t StoredWeights::bytes(const LlamaConfig& config) const {
  size_t bytes = 0;
  for_each_stored(config, [&](const std::string& name, std::span<const size_t> shape) {
    for (const std::string& part : parts(name, shape)) bytes += find(part)->bytes.size();
  });
  return bytes;
}

void StoredWeights::copy_to(const LlamaParameters& weights) const {
  weights.for_each([&](const std::string& name, const auto& view) {
    read(stored_name(weights.config(), name), view.shape(), view.span());
  });
}

std::vector<std::string> StoredWeights::parts(const std::string& name, std::span<const size_t> shape) const {
  return {find(name, shape).name};
}

void StoredWeights::read(const std::string& name, std::span<const size_t> shape, std::span<real> values) const {
  file_of(name).copy_to(name, shape, values);
}

}  // namespace cria
