# SPDX-License-Identifier: Apache-2.0
# Everything comes from the distribution; scripts/lib/deps.sh names the packages.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
pkg_check_modules(urcu REQUIRED IMPORTED_TARGET liburcu-memb)
find_library(HOLDFAST_URCU_COMMON urcu-common REQUIRED)
pkg_check_modules(fuse3 IMPORTED_TARGET fuse3>=3.14)
# Optional: lines in the stacks of violation reports.
pkg_check_modules(libdw IMPORTED_TARGET libdw)
