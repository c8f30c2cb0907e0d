// Packed weights serve, too: whatever their type, a text has the bits that it has alone.
#include "chapters/12-open-weights/packed_model.hpp"
#include "chapters/13-quantisation/quantise_rows.hpp"
#include "tests/apart.hpp"
#include "tests/chapters/published_models.hpp"
#include "tests/chapters/served_texts.hpp"

using namespace cria;
using namespace cria::testing;

TEST_CASE("with packed weights as well a text has the bits that it has alone") {
  const TemporaryFolder folder;
  const EncodeRows quantise = [](const TensorToWrite& tensor, std::span<const real> rows, std::string& out) {
    ThreadPool pool(1);
    quantise_rows(pool, tensor.type, tensor.shape.back(), rows, {}, out);
  };
  for (const ElementType type : {ElementType::f16, ElementType::bf16, ElementType::q8_0, ElementType::q4_1}) {
    INFO(type_layout(type).name);
    LlamaConfig config = served_config();
    config.context = 160, config.head_dim = 16;
    write_as_gguf(folder / "a.gguf", random_model(config, 5), {}, type, can_quantise(type) ? quantise : EncodeRows());
    const PackedModel model = open_packed_model(folder / "a.gguf");
    REQUIRE(model.weights.tensors.layers[0].query.is_packed());
    const Tokenizer tokenizer(bytes_model());
    std::vector<ServedRequest> requests;
    for (size_t i = 0; i < 7; ++i) {
      ServedRequest request;
      for (size_t t = 0; t < 5 + 19 * i; ++t)
        request.prompt.push_back(TokenId((t * t + 3 * t + (t > 40 ? i : 0)) % 256));
      request.options.sampling.seed = i, request.options.tokens = 12;
      requests.push_back(request);
    }
    Engine engine(model.weights, tokenizer, {}, {.blocks = 22, .places = 4, .chunk = 30, .threads = 2});
    std::vector<ServedText> actual(requests.size());
    for (size_t i = 0; i < requests.size(); ++i)
      REQUIRE(engine.add(requests[i].prompt, requests[i].options, kept_in(actual[i])));
    while (!engine.idle()) engine.step();
    CHECK(engine.figures().tokens_from_prefix > 0);
    for (size_t i = 0; i < requests.size(); ++i) {
      CAPTURE(i);
      CHECK(actual[i] == alone(model.weights, tokenizer, {}, requests[i], CacheType::f32, 160));
    }
  }
}
