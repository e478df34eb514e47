// SPDX-License-Identifier: Apache-2.0
//
// Return addresses as people know them.
//
// 1. With libdw (elfutils) also functions without external linkage have names, and addresses have
//    lines; without it, names are those of the dynamic symbol table.
// 2. Nothing is fetched from anywhere: only debugging information inside the loaded files counts.
#pragma once

#include <string_view>

#include "contract/text_buffer.h"

HF_NAMESPACE_BEGIN

// A demangled name without what doesn't help a reader: our own namespace, arguments, template
// arguments, return type, ABI tags, clones. "door::through", "do_rename::{lambda}".
void put_short_name(text_writer& out, std::string_view demangled);

// True for the frames of checking itself, at the inner end of a stack.
bool is_machinery(std::string_view short_name);

struct frame_text {
  char name[160];  // shortened; empty: unknown
  size_t name_length = 0;
  char place[160];  // "src/ops/rename.cc:120", or "(holdfast+0x1234)"
  size_t place_length = 0;
  std::string_view name_view() const { return {name, name_length}; }
  std::string_view place_view() const { return {place, place_length}; }
};
// Of a return address: what is described is the call in front of it.
void describe_frame(const void* address, frame_text& out);

HF_NAMESPACE_END
