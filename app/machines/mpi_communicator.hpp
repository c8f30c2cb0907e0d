// The ranks that mpirun started, as a communicator; the only place that knows of MPI.
#pragma once

#include <memory>
#include <string>

#include "chapters/21-several-machines/communicator.hpp"

namespace cria {

/// Joins the group of the processes that were started together. To be called once; leaving is a matter of all ranks,
/// and waits for them. A rank that is lost (stopped, unreachable, or gone) ends all others, after a line that names it:
/// the functions of this communicator do not throw for it. Ctrl-C and SIGTERM are the leader's to answer.
/// `remark` ends that line.
std::unique_ptr<Communicator> join_mpi(const std::string& remark);

}  // namespace cria
