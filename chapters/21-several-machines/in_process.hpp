// Chapter 21: a group whose ranks are threads of this process, to try and to test what several machines do.
//
// It is as strict as a carrier may be: a rank that sends waits until the other one takes it. So what gets through here
// does not rely on memory between the ranks, and what would wait for ever ends after a while, with a message.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "chapters/21-several-machines/communicator.hpp"

namespace cria {

/// Calls body(communicator) on a thread for each rank, and returns when all have ended. When one throws, the others are
/// released, and the exception is thrown here. A rank that another one has waited for longer than `patience` counts as
/// lost.
void run_ranks(std::size_t ranks, const std::function<void(Communicator&)>& body,
               std::chrono::milliseconds patience = std::chrono::seconds(15));

}  // namespace cria
