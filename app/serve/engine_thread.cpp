#include "app/serve/engine_thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <utility>

#include "app/serve/api_error.hpp"
#include "lib/base/check.hpp"

namespace cria::serve {

struct EngineThread::Running {
  TextJob job;  // without its prompt and options, which the engine has
  size_t prompt_size = 0;
  Stopwatch since_submitted = {}, since_first = {};
  size_t tokens = 0;
  bool shown = false;  // any text
  std::uint64_t id = 0;

  std::string shown_text(std::string_view text) {
    if (!shown && job.drops_blank && text.starts_with(' ')) text.remove_prefix(1), shown = true;
    shown = shown || !text.empty();
    return std::string(text);
  }
};

EngineThread::EngineThread(std::unique_ptr<Engine> engine, std::vector<TokenId> ends, size_t waiting, Metrics& metrics)
    : engine_(std::move(engine)), ends_(std::move(ends)), waiting_(waiting), metrics_(metrics) {
  figures_ = engine_->figures();
  thread_ = std::thread([this] { run(); });
}

EngineThread::~EngineThread() { stop(); }

void EngineThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
}

EngineFigures EngineThread::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

std::vector<std::uint64_t> EngineThread::submit(std::vector<TextJob> jobs) {
  if (jobs.size() > waiting_)
    throw ApiError(400, fmt::format("{} texts are wanted, but only {} can wait here", jobs.size(), waiting_));
  const auto answer = std::make_shared<std::promise<std::vector<std::uint64_t>>>();
  post([this, answer, wanted = std::move(jobs)]() mutable {
    std::vector<std::uint64_t> ids;
    try {
      for (TextJob& job : wanted) add(std::move(job), ids);
      answer->set_value(ids);
    } catch (...) {
      for (const std::uint64_t id : ids) engine_->cancel(id), running_.erase(id);
      cancelled_ = true;
      answer->set_exception(std::current_exception());
    }
  });
  return answer->get_future().get();
}

void EngineThread::inspect(const std::function<void(const Engine&)>& look) {
  const auto done = std::make_shared<std::promise<void>>();
  post([this, done, &look] {
    try {
      look(*engine_);
      done->set_value();
    } catch (...) {
      done->set_exception(std::current_exception());
    }
  });
  done->get_future().get();
}

void EngineThread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ApiError error(503, "the server is about to stop", "", "stopping");
      error.retry_after = 5;
      throw error;
    }
    tasks_.push_back(std::move(task));
  }
  asked_.notify_one();
}

void EngineThread::cancel(std::vector<std::uint64_t> ids) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back([this, ids = std::move(ids)] {
      for (const std::uint64_t id : ids) {
        if (running_.erase(id) == 0) continue;
        engine_->cancel(id);
        cancelled_ = true;
        metrics_.count_cancelled();
      }
    });
  }
  asked_.notify_one();
}

void EngineThread::add(TextJob job, std::vector<std::uint64_t>& ids) {
  std::vector<TokenId> prompt = std::exchange(job.prompt, {});
  GenerationOptions options = std::exchange(job.options, {});
  const auto running = std::make_shared<Running>(Running{std::move(job), prompt.size()});
  EngineEvents events;
  events.token = [this, running](std::string_view text, TokenId token, View<const real, 1> logits) {
    show(*running, text, token, logits);
  };
  events.finished = [this, running](std::string_view rest, const GenerationResult& result) {
    finish(*running, rest, result);
  };
  events.failed = [this, running](std::string_view message) { fail(*running, std::string(message).c_str()); };
  std::optional<std::uint64_t> id;
  try {
    id = engine_->add(std::move(prompt), std::move(options), std::move(events));
  } catch (const UserError& error) {
    throw ApiError(400, error.what(), "", "context_length_exceeded");
  }
  if (!id) {
    ApiError error(429, fmt::format("{} texts wait already; try again", waiting_), "", "queue_full");
    error.retry_after = 1;
    throw error;
  }
  running->id = *id;
  running_.emplace(*id, running);
  ids.push_back(*id);
}

void EngineThread::show(Running& running, std::string_view text, TokenId token, View<const real, 1> logits) {
  if (running.tokens++ == 0) {
    metrics_.time_to_first_token(running.since_submitted.seconds());
    running.since_first = {};
  }
  TextPart part{.text_index = running.job.text_index, .text = running.shown_text(text)};
  if (running.job.logprobs && std::ranges::find(ends_, token) == ends_.end())
    part.token = token_logprobs(logits, token, *running.job.logprobs);
  if (part.token || !part.text.empty()) running.job.mailbox->put(std::move(part));
}

void EngineThread::finish(Running& running, std::string_view rest, const GenerationResult& result) {
  const size_t tokens = result.tokens.size();
  metrics_.count_text(running.prompt_size, tokens, running.since_submitted.seconds());
  if (running.tokens > 1) metrics_.time_per_token(running.since_first.seconds() / double(running.tokens - 1));
  running.job.mailbox->put({.text_index = running.job.text_index,
                            .text = running.shown_text(rest),
                            .last = true,
                            .ended = result.ended,
                            .tokens = tokens});
  running_.erase(running.id);
}

/// Also where there is no memory left to say so.
void EngineThread::fail(Running& running, const char* why) {
  try {
    running.job.mailbox->put({.text_index = running.job.text_index, .last = true, .failure = why});
  } catch (const std::exception&) {
    running.job.mailbox->lose();
  }
  running_.erase(running.id);
}

void EngineThread::step() {
  try {
    engine_->step();
  } catch (const std::exception& error) {  // damaged weights, or no memory: nobody is left to wait
    while (!running_.empty()) {
      const std::shared_ptr<Running> running = running_.begin()->second;
      engine_->cancel(running->id);
      fail(*running, error.what());
    }
  }
}

void EngineThread::run() {
  for (;;) {
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(mutex_);
      figures_ = engine_->figures();
      asked_.wait(lock, [&] { return !tasks_.empty() || !engine_->idle() || stopping_; });
      tasks = std::exchange(tasks_, {});
      if (tasks.empty() && engine_->idle()) return;  // it stops, and all is done
    }
    for (const auto& task : tasks) {
      if (std::exchange(cancelled_, false)) step();  // in which the engine lets go of what was cancelled
      task();
    }
    // Where nothing is left to run, for the same reason.
    if (!engine_->idle() || std::exchange(cancelled_, false)) step();
  }
}

}  // namespace cria::serve
