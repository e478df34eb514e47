// SPDX-License-Identifier: Apache-2.0
//
// How often each rule of the native edition was exercised, and how many calls were checked.
//
// 1. A cell counts when it was compared with something: a lock column when its lock was bound,
//    another column when the method was entered. A prose rule counts when a gate or a dispatcher
//    evaluated it.
// 2. What every call of a method exercises is not counted by itself but taken from the count of its
//    calls. Counters belong to a thread each and are relaxed: a sum is exact once the counting
//    threads are quiet.
// 3. Nothing is counted while checking is off.
#pragma once

#include <cstddef>
#include <cstdint>

#include "contract/method.h"

HF_NAMESPACE_BEGIN
namespace coverage {

void count_cell(size_t cell);
void count_prose(size_t prose);
void count_call(method_id m);
void count_unchecked_call();

uint64_t cell_count(size_t cell);
uint64_t prose_count(size_t prose);
uint64_t call_count(method_id m);
uint64_t calls();
uint64_t unchecked_calls();
void reset();

}  // namespace coverage
HF_NAMESPACE_END
