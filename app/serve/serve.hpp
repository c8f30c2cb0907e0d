// cria serve
#pragma once

#include <cstdint>
#include <string>

#include "app/run/sample.hpp"

namespace cria {

struct ServeOptions {
  std::string model;          // as everywhere; empty: the one in data/
  std::string adapter;        // a folder; empty: none
  std::string chat_template;  // the name of a format, or a file; empty: the model's own
  std::string name;           // of the model, for clients; empty: its folder's or file's
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::size_t parallel = 8;     // texts that are written side by side
  std::size_t context = 0;      // tokens of a text; 0: the model's, at most 4096
  std::size_t cache = 0;        // tokens that are kept of all texts together; 0: enough for all
  std::size_t chunk = 256;      // tokens of prompts that a pass reads at most
  std::size_t block_size = 16;  // positions of a block of the cache
  std::size_t waiting = 64;     // texts that wait for a place
  std::size_t connections = 256;
  std::size_t time_out = 30;  // seconds for a request to come, and for a client to take what is sent
  std::string api_key;        // empty: CRIA_API_KEY of the environment, or none
  std::string origin;         // of the web pages that may ask; empty: none
  SamplingChoice sampling;    // where a request does not say
  std::size_t threads = 0;
  std::string cache_type = "f32";
  std::string second_tokenizer;  // a file or folder, for the page; empty: none
  std::string lessons;           // an address that the page's chapters are linked below; empty: the book, if any
  bool log = false;
};

/// Serves until it is told to stop, and then finishes what runs. Returns the exit code.
int run_serve(const ServeOptions& options);

}  // namespace cria
