#include "chapters/12-open-weights/meta_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "chapters/01-bpe/tokenizer_files.hpp"
#include "chapters/11-pretraining/json_keys.hpp"
#include "chapters/12-open-weights/meta_layout.hpp"
#include "chapters/12-open-weights/open_tokenizer.hpp"
#include "chapters/12-open-weights/stored_parameters.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/torch_file.hpp"
#include "lib/tensor/tensor.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view harmless[] = {"max_batch_size", "max_seq_len", "model_parallel_size"};

class Parts {
 public:
  explicit Parts(const fs::path& folder) : folder_(folder) {
    for (int i = 0; fs::exists(name(i)); ++i) files_.emplace_back(name(i));
    if (files_.empty()) fail("expected consolidated.00.pth");
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw UserError(fmt::format("{}: {}", folder_.string(), message));
  }

  size_t count() const { return files_.size(); }
  const TensorTable& first() const { return files_.front().tensors(); }

  /// The shape that the parts have together. The embedding is cut by rows or columns, which its first part shows.
  std::vector<size_t> shape(const ParameterName& name, size_t dim) const {
    std::vector<size_t> shape = first().at(name.meta).shape;
    const MetaCut cut = cut_of(name, dim);
    if (cut == MetaCut::rows) shape.at(0) *= count();
    if (cut == MetaCut::columns) shape.at(1) *= count();
    return shape;
  }

  MetaCut cut_of(const ParameterName& name, size_t dim) const {
    const std::vector<size_t>& shape = first().at(name.meta).shape;
    if (name.cut != MetaCut::whole && shape.size() != 2) fail(fmt::format("tensor \"{}\" is no matrix", name.meta));
    return meta_cut(name, shape, dim);
  }

  /// Reads a whole tensor from its parts into values of this shape.
  void read(const ParameterName& name, std::span<const size_t> shape, size_t dim, std::span<real> values) const {
    const MetaCut cut = cut_of(name, dim);
    if (cut == MetaCut::whole) return read_part(0, name, shape, values);
    const View<real, 2> whole(values, {shape[0], shape[1]});
    std::vector<real> part;
    for (size_t i = 0; i < count(); ++i) {
      const View<real, 2> place = place_of_part(whole, cut, i, count());
      if (place.contiguous()) {
        read_part(i, name, place.shape(), place.span());
        continue;
      }
      part.resize(place.size());
      read_part(i, name, place.shape(), part);
      noalias(place) = View<const real, 2>(part, place.shape());
    }
  }

  /// Each part has the same tensors, and no others than these.
  void require_only(const std::set<std::string>& known) const {
    for (const TorchFile& file : files_)
      for (const StoredTensor& tensor : file.tensors().all())
        if (!known.contains(tensor.name))
          fail(fmt::format("tensor {} belongs to no Llama that cria knows", in_quotes(tensor.name)));
  }

 private:
  fs::path name(int part) const { return folder_ / fmt::format("consolidated.{:02}.pth", part); }
  void read_part(size_t part, const ParameterName& name, std::span<const size_t> shape, std::span<real> values) const {
    files_[part].release(files_[part].tensors().copy_to(name.meta, shape, values));
  }

  fs::path folder_;
  std::vector<TorchFile> files_;
};

/// Llama 3.1 and 3.2; params.json only says that RoPE is scaled. The two small ones of 3.2 have another factor.
RopeScaling llama3_scaling(const LlamaConfig& c) {
  const bool small = (c.dim == 2048 && c.layers == 16) || (c.dim == 3072 && c.layers == 28);
  return {.kind = RopeScaling::Kind::llama3, .factor = small ? 32.0 : 8.0};
}

/// The longest text that the model was trained for; params.json does not say.
size_t context_of(const LlamaConfig& c) {
  if (c.rope_scaling.kind != RopeScaling::Kind::none) return 131072;  // Llama 3.1
  if (c.rope_theta == 500000) return 8192;                            // Llama 3
  if (c.rope_theta == 1000000) return 16384;                          // Code Llama
  return c.norm_eps == 1e-6 ? 2048 : 4096;                            // Llama 1 and 2
}

LlamaConfig read_params(const fs::path& file, const Parts& parts) {
  const JsonKeys json(file);
  LlamaConfig c;
  c.dim = json.whole("dim"), c.layers = json.whole("n_layers"), c.heads = json.whole("n_heads");
  c.kv_heads = json.whole("n_kv_heads", c.heads);
  if (c.heads == 0 || c.dim % c.heads != 0) json.fail(fmt::format("n_heads is {}, expected a divisor of dim", c.heads));
  c.head_dim = c.dim / c.heads;
  if (constexpr size_t widest = size_t{1} << 20; c.dim > widest)  // before it is multiplied
    json.fail(fmt::format("dim is {}, expected at most {}", c.dim, widest));
  c.norm_eps = json.number("norm_eps", 1e-5);
  c.rope_theta = json.number("rope_theta", 10000);
  if (json.flag("use_scaled_rope", false)) c.rope_scaling = llama3_scaling(c);
  c.hidden_dim =
      meta_hidden_dim(c.dim, json.number("ffn_dim_multiplier", 1), std::max<size_t>(json.whole("multiple_of", 256), 1));
  const size_t rows = parts.shape(parameter_name("model.embed_tokens.weight"), c.dim).at(0);
  if (json.number("vocab_size", -1) != -1 && json.whole("vocab_size") != rows)
    json.fail(fmt::format("vocab_size is {}, but the embedding has {} rows", json.whole("vocab_size"), rows));
  c.vocabulary_size = rows;
  c.tied_embeddings = !parts.first().find("output.weight");
  c.context = context_of(c);
  json.refuse_others(harmless);
  try {
    c.validate();
  } catch (const UserError& error) {
    json.fail(error.what());
  }
  return c;
}

void require_tensors(const Parts& parts, const LlamaConfig& c) {
  if (c.layers > parts.first().all().size())
    parts.fail(fmt::format("{} tensors are too few for {} layers", parts.first().all().size(), c.layers));
  std::set<std::string> known = {"rope.freqs"};
  LlamaTensors<real> none;
  none.layers.resize(c.layers);
  for_each_parameter(c, none, [&](const std::string& name, auto shape, auto&) {
    const ParameterName known_name = parameter_name(name);
    known.insert(known_name.meta);
    const std::vector<size_t> found = parts.shape(known_name, c.dim);
    if (!std::ranges::equal(found, shape))
      parts.fail(fmt::format("tensor \"{}\" has in {} {} the shape {}, but params.json asks for {}", known_name.meta,
                             parts.count(), parts.count() == 1 ? "part" : "parts", shape_text(found),
                             shape_text(shape)));
  });
  parts.require_only(known);
}

}  // namespace

LlamaConfig meta_config(const fs::path& folder) { return read_params(folder / "params.json", Parts(folder)); }

Model load_meta_folder(const fs::path& folder) {
  const Parts parts(folder);
  const LlamaConfig config = read_params(folder / "params.json", parts);
  require_tensors(parts, config);
  Model model{{config, {}, {}}, LlamaParameters(config), nullptr};
  read_parameters(model.weights, [&](const ParameterName& name, std::span<const size_t> shape, std::span<real> values) {
    parts.read(name, shape, config.dim, values);
    model.types[name.hugging_face] = parts.first().at(name.meta).type;
  });
  for (const fs::path& place : {folder, folder.parent_path()})  // Llama 1 has one tokenizer for all sizes
    if (!model.tokenizer && fs::exists(place / "tokenizer.model"))
      model.tokenizer = std::make_unique<Tokenizer>(open_tokenizer(place / "tokenizer.model"));
  if (model.tokenizer) set_ends(*model.tokenizer, model.config);
  return model;
}

}  // namespace cria
