#include "chapters/14-sft/tuned_model.hpp"

#include "chapters/12-open-weights/model_template.hpp"

namespace cria {

TrainedModel with_format(TrainedModel model, const InstructionEncoder& encoder) {
  model.write_description = [&encoder, describe = model.write_description](const std::filesystem::path& folder) {
    describe(folder);
    write_chat_template(folder, encoder.format());
  };
  return model;
}

}  // namespace cria
