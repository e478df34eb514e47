// SPDX-License-Identifier: Apache-2.0
//
// Clang's thread-safety attributes under our prefix; nothing with other compilers.
// Meaning: https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define HF_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define HF_THREAD_ANNOTATION(x)
#endif

#define HF_CAPABILITY(name) HF_THREAD_ANNOTATION(capability(name))
#define HF_SCOPED_CAPABILITY HF_THREAD_ANNOTATION(scoped_lockable)
#define HF_GUARDED_BY(x) HF_THREAD_ANNOTATION(guarded_by(x))
#define HF_PT_GUARDED_BY(x) HF_THREAD_ANNOTATION(pt_guarded_by(x))
#define HF_ACQUIRED_BEFORE(...) HF_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))
#define HF_ACQUIRED_AFTER(...) HF_THREAD_ANNOTATION(acquired_after(__VA_ARGS__))
#define HF_REQUIRES(...) HF_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define HF_REQUIRES_SHARED(...) HF_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define HF_ACQUIRE(...) HF_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define HF_ACQUIRE_SHARED(...) HF_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define HF_RELEASE(...) HF_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define HF_RELEASE_SHARED(...) HF_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define HF_RELEASE_GENERIC(...) HF_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define HF_TRY_ACQUIRE(...) HF_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define HF_TRY_ACQUIRE_SHARED(...) HF_THREAD_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define HF_EXCLUDES(...) HF_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define HF_ASSERT_CAPABILITY(x) HF_THREAD_ANNOTATION(assert_capability(x))
#define HF_ASSERT_SHARED_CAPABILITY(x) HF_THREAD_ANNOTATION(assert_shared_capability(x))
#define HF_RETURN_CAPABILITY(x) HF_THREAD_ANNOTATION(lock_returned(x))
#define HF_NO_THREAD_SAFETY_ANALYSIS HF_THREAD_ANNOTATION(no_thread_safety_analysis)
