// cria importance: how much each column of a model's matrices matters for a text.
#include "app/weights/importance.hpp"

#include <fmt/format.h>

#include "app/thread_count.hpp"
#include "app/weights/model_text.hpp"
#include "app/weights/rewrite.hpp"
#include "chapters/12-open-weights/open_model.hpp"
#include "chapters/13-quantisation/importance_file.hpp"
#include "lib/base/with_name.hpp"

namespace cria {

int run_importance(const ImportanceOptions& options) {
  require_free(options.out, ModelForm::gguf, options.overwrite);
  const Model model = open_model(options.model);
  const Validation text = read_calibration_text(options.model, model, options.data);
  ThreadPool pool(thread_count(options.threads));
  Importance importance =
      with_name(options.model, [&] { return measure_importance(model.weights, text.batches, pool); });
  importance.texts = options.data;
  write_importance(options.out, importance);
  fmt::print("{}: of {} matrices, on {} tokens in {} windows\n", options.out, importance.inputs.size(), text.targets,
             importance.windows);
  return 0;
}

}  // namespace cria
