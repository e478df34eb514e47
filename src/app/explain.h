// SPDX-License-Identifier: Apache-2.0
//
// holdfast explain: performs a script on a scratch file system, and shows each lock, each method
// and each rule.
//
//   script -> stages of operations (explain_script.cc)
//   operations -> what they need, what they do (explain_ops.cc)
//   trace events, named after paths (explain_record.cc)
//   -> steps and spans (explain_timeline.cc)
//   -> text, JSON, trace, page (explain_text.cc, explain_json.cc, explain_html.cc)
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/explain_timeline.h"

namespace holdfast::app {

// --- the script ---

struct script_operation {
  std::string task;  // "t1"; "prepare" is done unseen
  std::vector<std::string> words;
  std::string text;
};
// Operations of one stage run side by side, those of one task in their order; a stage begins when
// the one before has ended.
using script_stage = std::vector<script_operation>;

// Lines, or pieces between ';'. "NAME:" in front names the task for the rest of the line; '|' and
// "wait" end a stage. Throws user_error.
std::vector<script_stage> parse_script(const std::string& text);

// Performs the script. Throws user_error.
timeline explain(const explain_request& r);

// --- the exports ---

std::string explain_text(const timeline& t, unsigned width);
std::string explain_json(const timeline& t);
// Chrome's trace event format, which Perfetto opens.
std::string explain_trace(const timeline& t);
std::string explain_html(const timeline& t);

}  // namespace holdfast::app
