// SPDX-License-Identifier: Apache-2.0
//
// `holdfast bench`: Holdfast in process beside the kernel's tmpfs by system calls, in one
// interleaved run.
#pragma once

#include <string>

namespace holdfast_app {

struct bench_options {
  bool json = false;
  int rounds = 9;         // medians are taken over these
  int slice_ms = 25;      // one side of one round
  std::string filter;     // a part of the names; empty: all
  bool checking = false;  // not against the kernel: checks off against checks on
  bool alone = false;     // not against anything: for runs that compare two programs
};

// Returns the exit code. Figures go to stdout, anything else to stderr.
int run_bench(const bench_options& opt);

}  // namespace holdfast_app
