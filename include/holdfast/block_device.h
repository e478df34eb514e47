// SPDX-License-Identifier: Apache-2.0
//
// Block devices: a disk, and the devices on it (the whole, and its partitions). The layouts;
// requests, queues and partition tables come with the block layer.
//
// 1. open_mutex of the disk serialises opening and closing of all its devices; bd_openers changes
//    under it.
// 2. A disk outlives its devices.
// 3. swap_lock guards the slots of all swap areas. It is a spinlock: ->swap_slot_free_notify, which
//    is called under it, may not block.
#pragma once

#include <atomic>

#include "holdfast/address_space.h"
#include "holdfast/sync/mutex.h"

HF_NAMESPACE_BEGIN

inline constexpr unsigned sector_shift = 9;

struct gendisk {
  mutex<open_mutex_class> open_mutex;
  const char* disk_name = nullptr;
  block_device* part0 = nullptr;  // the whole disk
  const block_device_operations* fops = nullptr;
  void* private_data = nullptr;  // the driver's
  uint64_t capacity = 0;         // of 512 bytes
  bool read_only = false;
};

struct block_device {
  sector_t bd_start_sect = 0;
  uint64_t bd_nr_sectors = 0;  // of 512 bytes
  dev_t bd_dev = 0;
  gendisk* bd_disk = nullptr;
  inode* bd_inode = nullptr;  // its mapping caches the device's contents
  int bd_openers HF_GUARDED_BY(bd_disk->open_mutex) = 0;
  uint8_t bd_partno = 0;
  bool bd_read_only = false;
  void* bd_holder = nullptr;  // who has it for itself
};

// What ->getgeo fills in: a geometry that no disk has had for long.
struct hd_geometry {
  uint8_t heads = 0;
  uint8_t sectors = 0;
  uint16_t cylinders = 0;
  uint64_t start = 0;
};

inline constinit spinlock<swap_lock_class> swap_lock;

HF_NAMESPACE_END
