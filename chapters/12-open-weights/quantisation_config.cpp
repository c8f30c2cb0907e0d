#include "chapters/12-open-weights/quantisation_config.hpp"

#include <fmt/format.h>

#include "chapters/12-open-weights/tensor_names.hpp"
#include "lib/base/check.hpp"
#include "lib/formats/json.hpp"

namespace cria {
namespace {

namespace fs = std::filesystem;
using Json = JsonKeys::Json;

// Known, and without effect on what stored codes stand for.
constexpr std::string_view harmless[] = {
    // how the quantiser came to them, and with which texts
    "damp_percent", "damp_auto_increment", "true_sequential", "static_groups", "mse", "hyb_act", "act_group_aware",
    "dataset", "tokenizer", "batch_size", "pad_token_id", "model_seqlen", "cache_block_outputs", "quantizer", "meta",
    // of which model, and which of its linears, as the tensors say too
    "model_name_or_path", "block_name_to_quantize", "module_name_preceding_first_block", "modules_in_block_to_quantize",
    "lm_head",
    // how other programs compute with them
    "use_cuda_fp16", "use_exllama", "disable_exllama", "exllama_config", "max_input_length", "do_fuse",
    "fuse_max_seq_len", "modules_to_fuse"};
constexpr std::string_view harmless_compression[] = {"global_compression_ratio", "version"};
constexpr std::string_view harmless_weights[] = {"observer", "observer_kwargs", "scale_dtype", "zp_dtype"};

/// The list of linears that are left as they are. Which tensors are there says the same; this holds them to it.
void read_not_quantised(const JsonKeys& json, const char* key, Quantisation& q) {
  if (!json.has(key)) return;
  const auto is_linear = [](const Json& name) {
    try {
      return name.is_string() && !parameter_name(name.get<std::string>() + ".weight").hugging_face.empty();
    } catch (const ContractError&) {
      return false;
    }
  };
  if (!json.value(key).is_array())
    json.fail(fmt::format("{} is {}, expected a list", key, shown_json(json.value(key))));
  for (const Json& name : json.value(key)) {
    if (!is_linear(name))
      json.fail(
          fmt::format("{} has {}, expected the full names of linears, such as \"lm_head\"", key, shown_json(name)));
    q.not_quantised.insert(name.get<std::string>());
  }
}

/// Inputs that share a scale, or -1 for all.
size_t read_group_size(const JsonKeys& json) {
  if (json.value("group_size") == -1) return 0;
  const size_t size = json.whole("group_size");
  if (size == 0) json.fail("group_size is 0, expected a whole number from 1 on, or -1 for one group");
  return size;
}

/// An empty object asks for nothing.
void expect_empty(const JsonKeys& json, const char* key, const char* because) {
  if (json.has(key) && json.value(key) != Json::object()) json.expect(key, {}, because);
}

/// Of GPTQ and AWQ. A key that must be there is asked for by value() first.
void read_common(const JsonKeys& json, std::initializer_list<Json> bits, Quantisation& q) {
  json.value("bits");
  json.expect("bits", bits);
  q.bits = json.whole("bits");
  q.group_size = read_group_size(json);
  json.expect("pack_dtype", {"int32"});
  json.expect("is_marlin_format", {false});
  expect_empty(json, "dynamic", "layers with settings of their own are not supported");
  json.expect("rotation", {}), json.expect("adapter", {});
  read_not_quantised(json, "modules_to_not_convert", q);
}

Quantisation read_gptq(const JsonKeys& json) {
  Quantisation q{Quantisation::Format::gptq};
  read_common(json, {2, 3, 4, 8}, q);
  q.act_order = json.flag("desc_act", false);
  q.symmetric = json.flag("sym", false);
  // Two names of one key. The first version stores zero points less one.
  const char* key = json.has("checkpoint_format") ? "checkpoint_format" : "format";
  json.expect(key, {"gptq", "gptq_v2"});
  q.zero_offset = json.has(key) && json.value(key) == "gptq_v2" ? 0 : 1;
  if (json.has("checkpoint_format")) json.expect("format", {json.value("checkpoint_format")});
  json.expect("method", {"gptq"});
  json.has("backend");  // of the program that computes
  if (json.has("model_file_base_name")) {
    const Json& name = json.value("model_file_base_name");
    if (!name.is_string() || fs::path(name.get<std::string>()).filename() != name.get<std::string>())
      json.fail(
          fmt::format("model_file_base_name is {}, expected the name of a file in this folder", shown_json(name)));
    q.file = name;
  }
  json.refuse_others(harmless);
  return q;
}

Quantisation read_awq(const JsonKeys& json) {
  Quantisation q{Quantisation::Format::awq};
  read_common(json, {4}, q);
  json.value("version"), json.value("zero_point");
  for (const char* key : {"version", "checkpoint_format", "format"})
    json.expect(key, {"gemm", "GEMM"}, "other orders of the codes are not supported");
  json.expect("backend", {"autoawq", "auto"}, "llm-awq packs in another way");
  json.expect("zero_point", {true});
  json.expect("desc_act", {false});
  json.expect("method", {"awq"});
  json.flag("sym", false);  // zero points are stored whether they differ or not
  json.refuse_others(harmless);
  return q;
}

/// What one of config_groups says of weights.
void read_weights(const JsonKeys& json, Quantisation& q) {
  for (const char* key : {"num_bits", "type", "symmetric", "strategy"}) json.value(key);
  json.expect("num_bits", {4});
  json.expect("type", {"int"});
  q.symmetric = json.flag("symmetric", true);
  json.expect("strategy", {"group", "channel"});
  if (json.value("strategy") == "group") q.group_size = read_group_size(json);
  json.expect("group_size", {q.group_size == 0 ? Json(-1) : Json(q.group_size)},
              "of a channel all inputs are one group");
  json.expect("dynamic", {false});
  json.expect("block_structure", {});
  json.expect("actorder", {false, "weight", "static", "group", "dynamic"});  // two pairs of names
  q.act_order = json.has("actorder") && (json.value("actorder") == "group" || json.value("actorder") == "dynamic");
  json.refuse_others(harmless_weights);
}

Quantisation read_compressed_tensors(const JsonKeys& json) {
  Quantisation q{Quantisation::Format::compressed_tensors};
  json.value("format");
  json.expect("format", {"pack-quantized"});
  json.expect("quantization_status", {"compressed"});
  json.expect("kv_cache_scheme", {}, "a quantised cache is not supported");
  expect_empty(json, "transform_config", "turned weights are not supported");
  json.object("sparsity_config").expect("format", {"dense"});
  read_not_quantised(json, "ignore", q);
  const Json& groups = json.value("config_groups");
  if (!groups.is_object() || groups.size() != 1)
    json.fail("config_groups is expected to hold one group: layers with settings of their own are not supported");
  const JsonKeys group = json.object("config_groups").object(groups.begin().key());
  group.expect("targets", {Json::array({"Linear"})});
  for (const char* key : {"input_activations", "output_activations"})
    group.expect(key, {}, "quantised activations are not supported");
  group.expect("format", {"pack-quantized"});
  group.value("weights");
  read_weights(group.object("weights"), q);
  group.refuse_others();
  json.refuse_others(harmless_compression);
  return q;
}

std::optional<Quantisation> read_quantisation(const JsonKeys& config, const fs::path& folder) {
  const fs::path older = folder / "quantize_config.json";
  if (!config.has("quantization_config")) {
    if (!fs::exists(older)) return std::nullopt;
    const JsonKeys json(older);
    json.expect("quant_method", {"gptq"});
    return read_gptq(json);
  }
  const JsonKeys json = config.object("quantization_config");
  const Json method = json.value("quant_method");
  json.expect("quant_method", {"gptq", "awq", "compressed-tensors"});
  if (method == "gptq") return read_gptq(json);
  return method == "awq" ? read_awq(json) : read_compressed_tensors(json);
}

}  // namespace

std::string quantisation_text(const Quantisation& q) {
  using enum Quantisation::Format;
  return fmt::format("{}, {} bits {}{}",
                     q.format == gptq  ? "GPTQ"
                     : q.format == awq ? "AWQ"
                                       : "compressed-tensors",
                     q.bits,
                     q.group_size == 0 ? "with a scale for each output" : fmt::format("in groups of {}", q.group_size),
                     q.act_order ? ", act-order" : "");
}

FolderConfig read_folder_config(const fs::path& folder) {
  const JsonKeys json(folder / "config.json");
  const auto quantisation = read_quantisation(json, folder);  // before all keys that nobody asked for are refused
  return {read_config(json), quantisation};
}

}  // namespace cria
