// SPDX-License-Identifier: Apache-2.0
//
// A swap file as its file system sees it.
//
// 1. ->swap_activate gets a swap_info whose swap_file and max are set. It adds the extents of the
//    file and returns how many it added. I/O then goes to `bdev` by the extents, or, when
//    ->swap_activate set swp_fs_ops, through ->swap_rw.
// 2. Between swapon and swapoff nobody changes extents: readers take no lock.
#pragma once

#include "holdfast/list.h"
#include "holdfast/result.h"
#include "holdfast/types.h"

HF_NAMESPACE_BEGIN

// swap_info::flags
inline constexpr uint32_t swp_used = 1u << 0;
inline constexpr uint32_t swp_writeok = 1u << 1;
inline constexpr uint32_t swp_fs_ops = 1u << 2;

// Pages [start_page, start_page + nr_pages) of swap space lie at start_block (in pages) of bdev.
struct swap_extent {
  list_node node;
  pgoff_t start_page = 0;
  pgoff_t nr_pages = 0;
  sector_t start_block = 0;
};

struct swap_info {
  uint32_t flags = 0;
  pgoff_t max = 0;  // pages of swap space, the header's included
  file* swap_file = nullptr;
  block_device* bdev = nullptr;
  list_head extents;  // in the order of their pages
  int nr_extents = 0;
};

// Adds an extent behind the last; one that continues it is merged. The number added: 0 or 1. Error:
// ENOMEM.
Result<int> add_swap_extent(swap_info& sis, pgoff_t start_page, pgoff_t nr_pages,
                            sector_t start_block);
void destroy_swap_extents(swap_info& sis);

HF_NAMESPACE_END
