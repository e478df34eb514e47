// SPDX-License-Identifier: Apache-2.0
//
// The extents of a swap file. They are added in the order of their pages, so the list is sorted.
#include <cerrno>
#include <new>

#include "holdfast/swap.h"

HF_NAMESPACE_BEGIN

Result<int> add_swap_extent(swap_info& sis, pgoff_t start_page, pgoff_t nr_pages,
                            sector_t start_block) {
  if (swap_extent* last = sis.extents.last_entry<&swap_extent::node>();
      last != nullptr && last->start_page + last->nr_pages == start_page &&
      last->start_block + last->nr_pages == start_block) {
    last->nr_pages += nr_pages;
    return 0;
  }
  auto* e = new (std::nothrow) swap_extent;
  if (e == nullptr) return Error(ENOMEM);
  e->start_page = start_page;
  e->nr_pages = nr_pages;
  e->start_block = start_block;
  sis.extents.add_tail(e->node);
  ++sis.nr_extents;
  return 1;
}

void destroy_swap_extents(swap_info& sis) {
  while (swap_extent* e = sis.extents.first_entry<&swap_extent::node>()) {
    e->node.del();
    delete e;
  }
  sis.nr_extents = 0;
}

HF_NAMESPACE_END
