// Quantised folders of Hugging Face's: every layout to the last bit, and what is refused.
#include "chapters/12-open-weights/quantised_weights.hpp"

#include "chapters/12-open-weights/packed_codes.hpp"
#include "chapters/12-open-weights/save_folder.hpp"
#include "chapters/12-open-weights/written_types.hpp"
#include "lib/base/file.hpp"
#include "tests/apart.hpp"
#include "tests/chapters/quantised_checkpoint.hpp"

using namespace cria;
using namespace cria::testing;

namespace {

using Json = nlohmann::json;

/// A matrix of words as it lies in a file.
StoredTensor words_of(const std::vector<std::uint32_t>& words, size_t rows) {
  return {"words", ElementType::i32, {rows, words.size() / rows}, std::as_bytes(std::span(words))};
}

const std::string down_proj = "model.layers.0.mlp.down_proj.", q_proj = "model.layers.1.self_attn.q_proj.";

}  // namespace

TEST_CASE("codes in words, worked by hand") {
  // Low bits first: the last digit is code 0.
  const std::vector<std::uint32_t> nibbles = {0x76543210, 0xfedcba98};
  const StoredTensor row = words_of(nibbles, 1), column = words_of(nibbles, 2);
  for (size_t i = 0; i < 16; ++i) {
    CHECK(PackedCodes(row, 4).along(0, i) == i);
    CHECK(PackedCodes(column, 4).down(0, i) == i);
  }
  // AWQ's order of eight outputs.
  const std::vector<std::uint32_t> awq = {0x75316420, 0xfdb9eca8};
  const StoredTensor interleaved = words_of(awq, 1);
  for (size_t o = 0; o < 16; ++o) CHECK(PackedCodes(interleaved, 4).along(0, awq_place(o)) == o);
  // Code 10 of 3 bits has its bits at 30, 31 and 32, and code 21 at 63, 64 and 65. Here they are 101 and 110.
  const std::vector<std::uint32_t> crossing = {1u << 30, 1, 3};
  const StoredTensor three = words_of(crossing, 3);
  for (size_t i = 0; i < 32; ++i) CHECK(PackedCodes(three, 3).down(0, i) == (i == 10 ? 5u : i == 21 ? 6u : 0u));
}

TEST_CASE("weights in every layout are those that were packed") {
  const Scheme scheme =
      GENERATE(Scheme{"gptq", 4, 32, false, true, 1}, Scheme{"gptq", 4, 32, false, false, 2},
               Scheme{"gptq", 4, 32, true, false, 1}, Scheme{"gptq", 2, 32, false, false, 1},
               Scheme{"gptq", 3, 32, false, false, 1}, Scheme{"gptq", 3, 0, true, true, 2},
               Scheme{"gptq", 8, 0, false, true, 1}, Scheme{"gptq", 8, 16, true, false, 2},
               Scheme{"gptq", 4, 40, false, false, 1}, Scheme{"awq", 4, 32}, Scheme{"awq", 4, 0},
               Scheme{"compressed-tensors", 4, 32, false, true}, Scheme{"compressed-tensors", 4, 32, false, false},
               Scheme{"compressed-tensors", 4, 0, false, true}, Scheme{"compressed-tensors", 4, 32, true, false});
  CAPTURE(scheme.method, scheme.bits, scheme.group_size, scheme.act_order, scheme.symmetric, scheme.version);
  const QuantisedCheckpoint checkpoint(scheme);
  CHECK(checkpoint.weight_difference() == "");
  CHECK(open_config(checkpoint.folder.path()).llama == QuantisedCheckpoint::llama());
}

TEST_CASE("a scheme is stated in a few words, with what it takes") {
  const QuantisedCheckpoint ordered({"gptq", 3, 32, true});
  CHECK(quantisation_text(*open_quantisation(ordered.folder.path())) == "GPTQ, 3 bits in groups of 32, act-order");
  const QuantisedCheckpoint channels({"compressed-tensors", 4, 0, false, true});
  const Quantisation quantisation = *open_quantisation(channels.folder.path());
  CHECK(quantisation_text(quantisation) == "compressed-tensors, 4 bits with a scale for each output");
  size_t bytes = 0;
  for (const auto& [name, tensor] : channels.tensors) bytes += tensor.bytes.size();
  CHECK(QuantisedWeights(channels.folder.path(), quantisation).bytes(QuantisedCheckpoint::llama()) == bytes);
  CHECK(quantisation_text(*open_quantisation(QuantisedCheckpoint({"awq", 4, 64}).folder.path())) ==
        "AWQ, 4 bits in groups of 64");
}

TEST_CASE("older folders say it in quantize_config.json, and may name the file of the weights") {
  QuantisedCheckpoint checkpoint({"gptq", 4, 32});
  Json settings = checkpoint.config["quantization_config"];
  checkpoint.config.erase("quantization_config");
  for (const char* key : {"quant_method", "checkpoint_format", "meta"}) settings.erase(key);
  settings["model_file_base_name"] = "gptq_model-4bit-32g";
  checkpoint.write();
  const auto at = [&](const char* name) { return checkpoint.folder / name; };
  std::ofstream(at("quantize_config.json")) << settings;
  CHECK(checkpoint.weight_difference() == "");
  std::filesystem::rename(at("model.safetensors"), at("gptq_model-4bit-32g.safetensors"));
  CHECK(checkpoint.weight_difference() == "");
  settings["model_file_base_name"] = "../model";
  std::ofstream(at("quantize_config.json")) << settings;
  CHECK_THROWS_WITH(open_model(checkpoint.folder.path()), contains("model_file_base_name is \"../model\", expected"));
}

TEST_CASE("quantised weights in several files are those of one, and can be written as numbers") {
  const QuantisedCheckpoint checkpoint({"gptq", 4, 32, true});
  Json map;
  RawTensors files[2];
  for (const auto& [name, tensor] : checkpoint.tensors) {  // the tensors of one linear lie in both
    const size_t file = map.size() % 2;
    files[file][name] = tensor;
    map[name] = file ? "b.safetensors" : "a.safetensors";
  }
  write_raw(checkpoint.folder / "a.safetensors", files[0]);
  write_raw(checkpoint.folder / "b.safetensors", files[1]);
  std::filesystem::remove(checkpoint.folder / "model.safetensors");
  std::ofstream(checkpoint.folder / "model.safetensors.index.json") << Json{{"weight_map", map}};
  CHECK(checkpoint.weight_difference() == "");

  const Model model = open_model(checkpoint.folder.path());
  const TemporaryFolder to;
  save_folder(to / "numbers", model, types_to_write(model, ModelForm::folder, {}), checkpoint.folder.path());
  CHECK(difference(load_model(to / "numbers").weights.flat(), checkpoint.expected.flat(), 0) == "");
}

TEST_CASE("a head may be quantised, and a linear that is a number stays one") {
  QuantisedCheckpoint checkpoint({"gptq", 4, 32});
  checkpoint.tensors.erase("lm_head.weight");
  checkpoint.add_linear("lm_head.", checkpoint.expected.tensors().head);
  const View<real, 2> up = checkpoint.expected.tensors().layers[1].up;
  const std::vector<float> numbers(up.size(), 0.25f);
  std::ranges::fill(up.span(), real(0.25));
  std::erase_if(checkpoint.tensors, [](const auto& entry) { return entry.first.starts_with("model.layers.1.mlp.up"); });
  checkpoint.tensors["model.layers.1.mlp.up_proj.weight"] = RawTensor::of("F32", {96, 64}, numbers);
  checkpoint.config["quantization_config"]["modules_to_not_convert"] = {"model.layers.1.mlp.up_proj"};
  CHECK(checkpoint.error() == "");
  CHECK(checkpoint.weight_difference() == "");
  checkpoint.config["quantization_config"]["modules_to_not_convert"] = {"lm_head"};
  CHECK_THAT(checkpoint.error(), contains("tensor \"lm_head.weight\" is missing"));
}

TEST_CASE("settings that are not computed are refused by name") {
  struct Wrong {
    const char *method, *key;
    Json value;
    const char* message;
  };
  const Wrong wrong = GENERATE(
      Wrong{"gptq", "quant_method", "bitsandbytes", "quantization_config.quant_method is \"bitsandbytes\", expected"},
      Wrong{"gptq", "quant_method", "fp8", "quant_method is \"fp8\", expected \"gptq\" or \"awq\" or"},
      Wrong{"gptq", "quant_method", nullptr, "quantization_config.quant_method is missing"},
      Wrong{"gptq", "bits", 5, "bits is 5, expected 2 or 3 or 4 or 8"},
      Wrong{"gptq", "bits", nullptr, "quantization_config.bits is missing"},
      Wrong{"gptq", "bits", 3, "q_proj.qweight\" has shape (8, 64), but config.json asks for (6, 64)"},
      Wrong{"gptq", "group_size", 0, "group_size is 0, expected a whole number from 1 on, or -1"},
      Wrong{"gptq", "group_size", -2, "group_size is -2, expected a whole number"},
      Wrong{"gptq", "group_size", nullptr, "group_size is missing"},
      Wrong{"gptq", "group_size", 16, "q_proj.qzeros\" has shape (2, 8), but config.json asks for (4, 8)"},
      Wrong{"gptq", "desc_act", 1, "desc_act is 1, expected true or false"},
      Wrong{"gptq", "checkpoint_format", "marlin", "checkpoint_format is \"marlin\", expected \"gptq\" or \"gptq_v2\""},
      Wrong{"gptq", "format", "gptq_v2", "format is \"gptq_v2\", expected \"gptq\""},
      Wrong{"gptq", "is_marlin_format", true, "is_marlin_format is true, expected false"},
      Wrong{"gptq", "pack_dtype", "int16", "pack_dtype is \"int16\", expected \"int32\""},
      Wrong{"gptq", "dynamic", {{"-:.*down.*", Json::object()}}, "dynamic is an object, expected null: layers with"},
      Wrong{"gptq", "modules_to_not_convert", {"visual"}, "modules_to_not_convert has \"visual\", expected the full"},
      Wrong{"gptq", "temperature", 3, "quantization_config.temperature is 3, a key that cria does not know"},
      Wrong{"awq", "bits", 8, "bits is 8, expected 4"},
      Wrong{"awq", "version", "gemv", "version is \"gemv\", expected \"gemm\""},
      Wrong{"awq", "version", nullptr, "version is missing"},
      Wrong{"awq", "backend", "llm-awq", "backend is \"llm-awq\", expected \"autoawq\" or \"auto\""},
      Wrong{"awq", "zero_point", false, "zero_point is false, expected true"},
      Wrong{"compressed-tensors", "format", "float-quantized", "format is \"float-quantized\", expected \"pack-quant"},
      Wrong{"compressed-tensors", "quantization_status", "frozen", "quantization_status is \"frozen\", expected"},
      Wrong{"compressed-tensors", "kv_cache_scheme", {{"num_bits", 8}}, "kv_cache_scheme is an object, expected null"},
      Wrong{"compressed-tensors", "sparsity_config", {{"format", "bitmask"}}, "sparsity_config.format is \"bitmask\""},
      Wrong{"compressed-tensors", "transform_config", {{"a", 1}}, "transform_config is an object, expected null"},
      Wrong{"compressed-tensors", "ignore", {"re:.*"}, "ignore has \"re:.*\", expected the full names of linears"},
      Wrong{"compressed-tensors", "ignore", "lm_head", "ignore is \"lm_head\", expected a list"},
      Wrong{"compressed-tensors", "config_groups", Json::object(), "config_groups is expected to hold one group"});
  CAPTURE(wrong.method, wrong.key, wrong.value);
  QuantisedCheckpoint checkpoint({wrong.method, 4, 32});
  checkpoint.config["quantization_config"][wrong.key] = wrong.value;
  CHECK_THAT(checkpoint.error(), contains("config.json: ") || contains("tensor \"model.layers.0."));
  CHECK_THAT(checkpoint.error(), contains(wrong.message));
}

TEST_CASE("a group of compressed-tensors that is not computed is refused by name") {
  struct Wrong {
    const char* key;
    Json value;
    const char* message;
  };
  const Wrong wrong = GENERATE(
      Wrong{"/weights/num_bits", 8, "group_0.weights.num_bits is 8, expected 4"},
      Wrong{"/weights/num_bits", nullptr, "weights.num_bits is missing"},
      Wrong{"/weights/type", "float", "weights.type is \"float\", expected \"int\""},
      Wrong{"/weights/strategy", "tensor", "weights.strategy is \"tensor\", expected \"group\" or \"channel\""},
      Wrong{"/weights/strategy", "channel", "weights.group_size is 32, expected -1: of a channel"},
      Wrong{"/weights/dynamic", true, "weights.dynamic is true, expected false"},
      Wrong{"/weights/block_structure", "16x16", "weights.block_structure is \"16x16\", expected null"},
      Wrong{"/weights/scale_bits", 8, "weights.scale_bits is 8, a key that cria does not know"},
      Wrong{"/weights", nullptr, "config_groups.group_0.weights is missing"},
      Wrong{"/targets", {"re:.*mlp.*"}, "group_0.targets is [\"re:.*mlp.*\"], expected [\"Linear\"]"},
      Wrong{"/input_activations",
            {{"num_bits", 8}},
            "input_activations is an object, expected null: quantised activations"},
      Wrong{"/format", "marlin-24", "group_0.format is \"marlin-24\", expected \"pack-quantized\""});
  CAPTURE(wrong.key);
  QuantisedCheckpoint checkpoint({"compressed-tensors", 4, 32, false, true});
  checkpoint.config["quantization_config"]["config_groups"]["group_0"][Json::json_pointer(wrong.key)] = wrong.value;
  CHECK_THAT(checkpoint.error(), contains("config.json: ") && contains(wrong.message));
}

TEST_CASE("zero points that contradict the settings are refused") {
  // A symmetric file's zero points say which version it is.
  QuantisedCheckpoint labelled({"gptq", 4, 32, false, true, GENERATE(1, 2)});
  const bool first = labelled.scheme.version == 1;
  labelled.config["quantization_config"]["checkpoint_format"] = first ? "gptq_v2" : "gptq";
  CHECK_THAT(labelled.error(), contains(first ? "zero point of 7, but sym asks for 8: is checkpoint_format right?"
                                              : "zero point of 9, but sym asks for 8: is checkpoint_format right?"));
  QuantisedCheckpoint wrapped({"gptq", 4, 32});
  wrapped.tensors[down_proj + "qzeros"].bytes[0] = '\x0f';
  CHECK_THAT(wrapped.error(), contains("down_proj.qzeros\" has a zero point of 15, which readers take for 16 or 0"));
}

TEST_CASE("groups of inputs that are out of range, or in no order without act-order, are refused") {
  QuantisedCheckpoint checkpoint({"gptq", 4, 32, true});
  const auto put = [&](std::int32_t group) {
    std::memcpy(checkpoint.tensors[down_proj + "g_idx"].bytes.data() + 8, &group, 4);
    return checkpoint.error();
  };
  CHECK_THAT(put(3), contains("down_proj.g_idx\" has 3 at 2, but there are 3 groups"));
  CHECK_THAT(put(-1), contains("down_proj.g_idx\" has -1 at 2, but there are 3 groups"));
  put(0);
  checkpoint.config["quantization_config"]["desc_act"] = false;
  CHECK_THAT(checkpoint.error(), contains("g_idx\" has ") && contains("as desc_act is false"));

  QuantisedCheckpoint without({"gptq", 4, 32});  // as files from before there was act-order
  std::erase_if(without.tensors, [](const auto& entry) { return entry.first.ends_with("g_idx"); });
  CHECK(without.error() == "");
  CHECK(without.weight_difference() == "");
  without.config["quantization_config"]["desc_act"] = true;
  CHECK_THAT(without.error(), contains("q_proj.g_idx\" is missing"));
}

TEST_CASE("tensors that do not fit the settings are refused by name") {
  QuantisedCheckpoint gptq({"gptq", 4, 32});
  const RawTensors whole = gptq.tensors;
  const auto with = [&](const std::string& name, const RawTensor& tensor) {
    gptq.tensors = whole;
    gptq.tensors[name] = tensor;
    return gptq.error();
  };
  const std::vector<float> words(12 * 64);
  CHECK_THAT(with(down_proj + "qweight", RawTensor::of("F32", {12, 64}, words)),
             contains("has type F32, expected I32"));
  CHECK_THAT(with(down_proj + "qweight", RawTensor::of("I32", {64, 12}, words)), contains("has shape (64, 12), but"));
  CHECK_THAT(with(down_proj + "scales", RawTensor::of("I32", {3, 64}, std::vector<float>(192))),
             contains("down_proj.scales\" has type I32, expected numbers with a fraction"));
  CHECK_THAT(with(q_proj + "weight", RawTensor::of("F32", {64, 64}, std::vector<float>(4096))),
             contains("q_proj.g_idx\" is not one that config.json asks for"));
  CHECK_THAT(with("lm_head.qweight", RawTensor::of("I32", {1}, std::vector<float>(1))),
             contains("\"lm_head.qweight\" is not one that config.json asks for"));
  // AutoGPTQ writes a bias of zeros.
  CHECK(with(q_proj + "bias", RawTensor::of("F32", {64}, std::vector<float>(64))) == "");
  CHECK_THAT(with(q_proj + "bias", RawTensor::of("F32", {64}, std::vector<float>(64, 1e-6f))),
             contains("q_proj.bias\" is not zero: biases are not supported"));
  gptq.tensors = whole;
  gptq.tensors.erase(q_proj + "qzeros");
  CHECK_THAT(gptq.error(), contains("tensor \"" + q_proj + "qzeros\" is missing"));

  QuantisedCheckpoint compressed({"compressed-tensors", 4, 32, false, true});
  compressed.tensors[q_proj + "weight_shape"] = RawTensor::of("I64", {2}, std::vector<std::int64_t>{64, 65});
  CHECK_THAT(compressed.error(), contains("q_proj.weight_shape\" is not (64, 64), which config.json asks for"));
}

TEST_CASE("a file with any bytes changed is read or refused, and nothing else happens") {
  QuantisedCheckpoint checkpoint(
      GENERATE(Scheme{"gptq", 3, 32, true}, Scheme{"awq", 4, 32}, Scheme{"compressed-tensors", 4, 32, true, false}));
  const std::string whole = read_file(checkpoint.folder / "model.safetensors");
  const size_t header = whole.find("}}");
  Random random(5);
  size_t refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string changed = whole;
    const size_t place = random.below(std::uint32_t(i % 2 ? header : whole.size()));
    changed[place] = i % 3 ? char('0' + random.below(10)) : char(random.below(256));
    std::ofstream(checkpoint.folder / "model.safetensors", std::ios::binary) << changed;
    try {
      open_model(checkpoint.folder.path());
    } catch (const UserError&) {
      ++refused;
    }
  }
  CHECK(refused > 50);
}

TEST_CASE("sizes that no file has are refused before they are allocated") {
  for (const char* method : {"gptq", "awq", "compressed-tensors"})
    for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "group_size"}) {
      CAPTURE(method, key);
      QuantisedCheckpoint checkpoint({method, 4, 32});
      for (const std::uint64_t size :
           {std::uint64_t{4096}, std::uint64_t{1} << 20, ~std::uint64_t{0}, ~std::uint64_t{0} - 30}) {
        Json& quantisation = checkpoint.config["quantization_config"];
        const bool compressed = checkpoint.scheme.method == "compressed-tensors";
        Json& groups = compressed ? quantisation["config_groups"]["group_0"]["weights"] : quantisation;
        (std::string(key) == "group_size" ? groups : checkpoint.config)[key] = size;
        checkpoint.write();
        const Apart opened = run_apart([&] { open_model(checkpoint.folder.path()); });
        CAPTURE(size, opened.message);
        CHECK(fault_of(opened) == "");
        CHECK(opened.code == 2);
      }
    }
}
