// SPDX-License-Identifier: Apache-2.0
//
// What calls on names say in which case, and the matrix of renames. The kernel is asked to confirm
// it.
#include "tests/conformance/script.h"

namespace conformance {

const std::vector<script_case>& name_cases() {
  static const std::vector<script_case> cases = {
      {"mkdir", R"(
umask 22
mkdir d 777
stat d 0 = ok mode 40755 nlink 2 uid 0 gid 0
mkdir d 777 = EEXIST
mkdir d/ 777 = EEXIST
mkdir d/. 777 = EEXIST
mkdir . 777 = EEXIST
mkdir .. 777 = EEXIST
mkdir / 777 = EEXIST
mkdir <> 777 = ENOENT
mkdir no/d 777 = ENOENT
mkdir s/ 755 = ok
open 0 f wc 644
mkdir f/x 755 = ENOTDIR
mkdir f 755 = EEXIST
mkdir f/ 755 = EEXIST
mkdir x{256} 755 = ENAMETOOLONG
mkdir x{255} 755 = ok
symlink nowhere l
mkdir l 755 = EEXIST
mkdir l/ 755 = EEXIST
chmod d 2755
mkdir d/sub 777 = ok
stat d/sub 0 = ok mode 42755 nlink 2 uid 0 gid 0
stat d 0 = ok mode 42755 nlink 3 uid 0 gid 0
mkdir t 7777
stat t 0 = ok mode 41755 nlink 2 uid 0 gid 0
as 1000
mkdir d/mine 755 = EACCES
mkdir mine 755 = EACCES
)"},
      {"mknod", R"(
umask 0
mknod f 100644 0 = ok
mknod f 100644 0 = EEXIST
mknod f2 644 0 = ok
stat f2 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 0
mknod d 40755 0 = EPERM
mknod l 120777 0 = EINVAL
mknod x 170000 0 = EINVAL
mknod p 10600 0 = ok
mknod s 140600 0 = ok
mknod c 20600 259 = ok
stat c n = ok mode 20600 nlink 1 uid 0 gid 0 size 0 rdev 259
mknod n/ 100644 0 = ENOENT
mknod f/ 100644 0 = EEXIST
mkdir pub 777
as 1000
mknod pub/c 20600 259 = EPERM
mknod pub/b 60600 259 = EPERM
mknod pub/w 20600 0 = ok
mknod pub/f 100600 0 = ok
mknod f 100644 0 = EEXIST
mknod g 100644 0 = EACCES
)"},
      {"symlink and readlink", R"(
symlink target l = ok
readlink l = ok target
readlink l/ = ENOENT
symlink other l = EEXIST
symlink <> e = ENOENT
symlink a <> = ENOENT
symlink a l/ = EEXIST
symlink a n/ = ENOENT
symlink x{4096} e = ENAMETOOLONG
mkdir d 755
readlink d = EINVAL
readlink d/ = EINVAL
readlink <> = ENOENT
readlink no = ENOENT
symlink d ld
stat ld 0 = ok mode 40755 nlink 2 uid 0 gid 0
stat ld n = ok mode 120777 nlink 1 uid 0 gid 0 size 1
stat ld/ n = ok mode 40755 nlink 2 uid 0 gid 0
readlink ld/ = EINVAL
symlink loop loop
stat loop 0 = ELOOP
stat loop/x 0 = ELOOP
symlink l2 l1
symlink l1 l2
open 0 l1 r = ELOOP
open 0 ld rn = ELOOP
open 0 ld rdn = ENOTDIR
open 0 ld rpn = ok
)"},
      {"forty links and no more", R"(
mkdir d 755
symlink d l0
symlink l0 l1
symlink l1 l2
symlink l2 l3
symlink l3 l4
symlink l4 l5
symlink l5 l6
symlink l6 l7
symlink l7 l8
symlink l8 l9
symlink l9/../l9/../l9/../l9 m
symlink l9/../l9/../l9/../l9/../d n
symlink m o
stat m 0 = ELOOP
stat n 0 = ELOOP
symlink l9/../l9/../l9/../l8 p
stat p 0 = ok mode 40755 nlink 2 uid 0 gid 0
symlink p q
stat q 0 = ELOOP
)"},
      {"link", R"(
open 0 f wc 644
link f g 0 = ok
stat f 0 = ok mode 100644 nlink 2 uid 0 gid 0 size 0
link f g 0 = EEXIST
link no h 0 = ENOENT
link f no/h 0 = ENOENT
link f h/ 0 = ENOENT
link f/ h 0 = ENOTDIR
mkdir d 755
link d e 0 = EPERM
link . e 0 = EPERM
link f d 0 = EEXIST
link f . 0 = EEXIST
symlink f l
link l m 0 = ok
stat m n = ok mode 120777 nlink 2 uid 0 gid 0 size 1
link l n f = ok
stat n n = ok mode 100644 nlink 3 uid 0 gid 0 size 0
link f z x = EINVAL
symlink nowhere dangling
link dangling y f = ENOENT
link dangling y 0 = ok
link <> y2 e = EPERM
link <> y2 0 = ENOENT
)"},
      {"unlink and rmdir", R"(
open 0 f wc 644
mkdir d 755
mkdir d/e 755
unlink no = ENOENT
unlink no/ = ENOENT
unlink f/ = ENOTDIR
unlink f/x = ENOTDIR
unlink d = EISDIR
unlink d/ = EISDIR
unlink . = EISDIR
unlink .. = EISDIR
unlink d/. = EISDIR
unlink <> = ENOENT
rmdir f = ENOTDIR
rmdir f/ = ENOTDIR
rmdir no = ENOENT
rmdir d = ENOTEMPTY
rmdir d/. = EINVAL
rmdir d/.. = ENOTEMPTY
rmdir . = EINVAL
rmdir .. = ENOTEMPTY
rmdir / = EBUSY
rmdir <> = ENOENT
rmdir d/e/ = ok
open 1 d rd
rmdir d = ok
fstat 1 = ok mode 40755 nlink 0 uid 0 gid 0
write 0 abc = ok 3
unlink f = ok
fstat 0 = ok mode 100644 nlink 0 uid 0 gid 0 size 3
symlink d l
rmdir l = ENOTDIR
rmdir l/ = ENOTDIR
unlink l/ = ENOTDIR
unlink l = ok
dents . = ok .:d ..:d
)"},
      {"sticky directories", R"(
umask 0
mkdir t 1777
open 0 t/root wc 666
as 1000
open 1 t/mine wc 666
mkdir t/dir 755
unlink t/root = EPERM
rename t/root t/x 0 = EPERM
rename t/mine t/root 0 = EPERM
rename t/mine t/mine2 0 = ok
unlink t/mine2 = ok
rmdir t/dir = ok
as 1001
open 2 t/other wc 666
as 1000
unlink t/other = EPERM
as 0
unlink t/other = ok
)"},
      {"a trap in a sticky directory", R"(
umask 0
mkdir t 1777
mkdir o 777
as 1000
mknod t/s 140666 0
mknod o/s 140666 0
as 1001
open 0 t/s rwc 644 = EACCES
open 0 t/s rw = ENXIO
open 0 o/s rwc 644 = ENXIO
as 1000
open 0 t/s rwc 644 = ENXIO
)"},
      {"directories list themselves", R"(
mkdir d 755
dents d = ok .:d ..:d
open 0 d/f wc 644
symlink x d/l
mknod d/p 10600 0
mkdir d/e 700
dents d = ok .:d ..:d e:d f:f l:l p:p
dents d/f = ENOTDIR
dents no = ENOENT
)"},
      {"rename", R"(
umask 0
open 0 f wc 644
mkdir d 755
mkdir d/e 755
mkdir d/e/g 755
mkdir full 755
open 0 full/x wc 644
mkdir empty 755
rename f g 0 = ok
rename f g 0 = ENOENT
rename g g 0 = ok
rename g/ h 0 = ENOTDIR
rename g h/ 0 = ENOTDIR
rename g d 0 = EISDIR
rename g d/ 0 = ENOTDIR
rename d g 0 = ENOTDIR
rename d full 0 = ENOTEMPTY
rename d d/e/h 0 = EINVAL
rename d d/e 0 = EINVAL
rename d d/e/g 0 = EINVAL
rename d/e/g d 0 = ENOTEMPTY
rename d/e/g d/e 0 = ENOTEMPTY
rename d/e d 0 = ENOTEMPTY
rename . x 0 = EBUSY
rename .. x 0 = EBUSY
rename d/. x 0 = EBUSY
rename d x/. 0 = ENOENT
rename d full/. 0 = EBUSY
rename d full/.. 0 = EBUSY
rename / x 0 = EBUSY
rename d / 0 = EBUSY
rename <> x 0 = ENOENT
rename d <> 0 = ENOENT
rename d x/ 0 = ok
rename x empty/ 0 = ok
dents empty = ok .:d ..:d e:d
rename g no/h 0 = ENOENT
rename g full/x/y 0 = ENOTDIR
rename g x{256} 0 = ENAMETOOLONG
symlink full l
rename l m 0 = ok
readlink m = ok full
rename empty m 0 = ENOTDIR
rename m/ q 0 = ENOTDIR
)"},
      {"rename flags", R"(
open 0 a wc 644
open 1 b wc 600
mkdir d 755
mkdir d/sub 755
rename a b n = EEXIST
rename a c n = ok
rename c b x = EINVAL
rename c b ne = EINVAL
rename c b ew = EINVAL
rename c . n = EEXIST
rename c .. n = EEXIST
rename c no e = ENOENT
rename c b e = ok
stat b 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 0
rename b d e = ok
stat b n = ok mode 40755 nlink 3 uid 0 gid 0
stat d n = ok mode 100644 nlink 1 uid 0 gid 0 size 0
rename b b/sub e = EINVAL
rename b/sub b e = EINVAL
rename d b/sub e = ok
stat . 0 = ok mode 40755 nlink 4 uid 0 gid 0
stat b 0 = ok mode 40755 nlink 2 uid 0 gid 0
rename d c/ e = ENOTDIR
rename c d w = EISDIR
rename c moved w = ok
stat c n = ok mode 20000 nlink 1 uid 0 gid 0 size 0 rdev 0
rename c c n = EEXIST
)"},
      {"two names of one file", R"(
open 0 a wc 644
link a b 0
rename a b 0 = ok
stat a 0 = ok mode 100644 nlink 2 uid 0 gid 0 size 0
rename a b n = EEXIST
rename a b e = ok
mkdir d 755
rename a d/b 0 = ok
rename b d/b 0 = ok
stat b 0 = ok mode 100644 nlink 2 uid 0 gid 0 size 0
)"},
      {"rename needs write permission on a directory that moves", R"(
umask 0
mkdir from 777
mkdir to 777
as 1000
mkdir from/d 555
rename from/d from/e 0 = ok
rename from/e to/e 0 = EACCES
chmod from/e 755
rename from/e to/e 0 = ok
)"},
      {"paths", R"(
mkdir d 755
mkdir d/e 755
open 0 f wc 644
stat f/. 0 = ENOTDIR
stat f/.. 0 = ENOTDIR
stat f/ 0 = ENOTDIR
stat ./d/./e/../../f 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 0
stat .//d///e// 0 = ok mode 40755 nlink 2 uid 0 gid 0
stat ../../.. 0 = ok mode 40755 nlink 3 uid 0 gid 0
stat no/.. 0 = ENOENT
stat <> 0 = ENOENT
stat <> e = ok mode 40755 nlink 3 uid 0 gid 0
stat f x = EINVAL
symlink d/e le
stat le/.. 0 = ok mode 40755 nlink 3 uid 0 gid 0
symlink d/e/ les
stat les n = ok mode 120777 nlink 1 uid 0 gid 0 size 4
symlink f/ lf
stat lf 0 = ENOTDIR
symlink . dot
stat dot/dot/dot/f 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 0
stat x{256} 0 = ENAMETOOLONG
stat x{256}/y 0 = ENAMETOOLONG
stat no/x{256} 0 = ENOENT
stat x{4096} 0 = ENAMETOOLONG
rmdir d/e
stat le 0 = ENOENT
)"},
      {"a removed directory", R"(
mkdir d 755
open 0 d rd
rmdir d
fstat 0 = ok mode 40755 nlink 0 uid 0 gid 0
)"},
  };
  return cases;
}

std::vector<std::string> rename_matrix_setup() {
  return split_lines(R"(
umask 0
mkdir p 755
mkdir q 755
open 0 p/file wc 644
write 0 source
mkdir p/empty 755
mkdir p/full 755
open 1 p/full/x wc 644
symlink p/file p/link
mknod p/fifo 10600 0
open 2 p/other wc 600
write 2 other
mkdir p/empty2 700
mkdir p/full2 700
mkdir p/full2/y 700
symlink nowhere p/link2
open 3 q/other wc 600
mkdir q/empty2 700
mkdir q/full2 700
mkdir q/full2/y 700
symlink nowhere q/link2
)");
}

std::vector<std::string> rename_matrix_lines() {
  std::vector<std::string> r;
  for (const char* flags : {"0", "n", "e", "w"}) {
    for (const char* from :
         {"file", "empty", "full", "link", "fifo", "missing", "file/", "empty/", "link/"}) {
      for (const char* dir : {"p/", "q/"}) {
        for (const char* to : {"new", "other", "empty2", "full2", "link2", "full2/y", "new/",
                               "empty2/", "other/", "link2/", "."}) {
          r.push_back("rename p/" + std::string(from) + " " + dir + to + " " + flags);
        }
      }
    }
  }
  return r;
}

}  // namespace conformance
