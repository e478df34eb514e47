// SPDX-License-Identifier: Apache-2.0
//
// What each call says in which case: the table that Holdfast is held to, and that the kernel is
// asked to confirm.
#include "tests/conformance/script.h"

namespace conformance {

const std::vector<script_case> cases = {
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
    {"search and write permission", R"(
umask 0
mkdir d 700
open 0 d/f wc 666
mkdir x 711
open 1 x/f wc 600
mkdir r 744
open 1 r/f wc 666
as 1000
stat d/f 0 = EACCES
stat d/no 0 = EACCES
stat x/f 0 = ok mode 100600 nlink 1 uid 0 gid 0 size 0
open 2 x/f r = EACCES
dents x = EACCES
dents r = ok .:d ..:d f:f
stat r/f 0 = EACCES
open 2 x/g wc 644 = EACCES
unlink x/f = EACCES
rename x/f x/g 0 = EACCES
truncate x/f 0 = EACCES
chmod x/f 777 = EPERM
chown x/f 1000 -1 0 = EPERM
utimens x/f null 0 = EACCES
utimens x/f 1 0 1 0 0 = EPERM
utimens x/f 1 omit 1 now 0 = EPERM
utimens x/f 1 omit 1 omit 0 = ok
access x/f 4 0 = EACCES
access x/f 0 0 = ok
access x 1 0 = ok
access x 3 0 = EACCES
access x 9 0 = EINVAL
access x 1 x = EINVAL
as 0
access x/f 1 0 = EACCES
access x/f 6 0 = ok
)"},
    {"chmod", R"(
umask 0
open 0 f wc 644
chmod f 4755 = ok
stat f 0 = ok mode 104755 nlink 1 uid 0 gid 0 size 0
chmod f 107777 = ok
stat f 0 = ok mode 107777 nlink 1 uid 0 gid 0 size 0
chmod no 644 = ENOENT
chmod f/ 644 = ENOTDIR
chmod <> 644 = ENOENT
symlink f l
chmod l 600 = ok
stat f 0 = ok mode 100600 nlink 1 uid 0 gid 0 size 0
fchmod 0 640 = ok
open 1 f rp
fchmod 1 600 = EBADF
chown f 1000 7 0
as 1000
chmod f 2755 = ok
stat f 0 = ok mode 100755 nlink 1 uid 1000 gid 7 size 0
as 1001
chmod f 777 = EPERM
)"},
    {"chown strips set-id bits", R"(
umask 0
open 0 f wc 644
chmod f 6755
chown f 1000 1000 0 = ok
stat f 0 = ok mode 100755 nlink 1 uid 1000 gid 1000 size 0
chmod f 6744
chown f 1000 1000 0
stat f 0 = ok mode 102744 nlink 1 uid 1000 gid 1000 size 0
mkdir d 755
chmod d 6755
chown d 1000 1000 0
stat d 0 = ok mode 46755 nlink 2 uid 1000 gid 1000
chown f 1 1 x = EINVAL
symlink f l
chown l 5 6 n = ok
stat l n = ok mode 120777 nlink 1 uid 5 gid 6 size 1
as 1000
chown f -1 1000 0 = ok
chown f 1000 -1 0 = ok
chown f 1001 -1 0 = EPERM
chown f -1 1001 0 = EPERM
chown f -1 -1 0 = ok
)"},
    {"write and truncate strip set-id bits", R"(
umask 0
open 0 f rwc 644
chmod f 6777
as 1000
open 1 f rw
write 1 a
stat f 0 = ok mode 100777 nlink 1 uid 0 gid 0 size 1
as 0
chmod f 6777
as 1000
truncate f 0 = ok
stat f 0 = ok mode 100777 nlink 1 uid 0 gid 0 size 0
as 0
chmod f 6777
write 0 b
stat f 0 = ok mode 106777 nlink 1 uid 0 gid 0 size 1
as 1000
open 2 f rwt
as 0
stat f 0 = ok mode 100777 nlink 1 uid 0 gid 0 size 0
)"},
    {"truncate", R"(
open 0 f rwc 644
truncate f 10 = ok
stat f 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 10
pread 0 20 0 = ok \0{10}
truncate f -1 = EINVAL
truncate no 1 = ENOENT
mkdir d 755
truncate d 1 = EISDIR
mknod p 10644 0
truncate p 1 = EINVAL
truncate <> 1 = ENOENT
truncate f/ 1 = ENOTDIR
write 0 hello
ftruncate 0 2 = ok
ftruncate 0 -1 = EINVAL
pread 0 9 0 = ok he
write 0 x = ok 1
pread 0 9 0 = ok he\0\0\0x
open 1 f r
ftruncate 1 0 = EINVAL
open 2 f rp
ftruncate 2 0 = EBADF
open 3 d rd
ftruncate 3 0 = EINVAL
)"},
    {"utimens", R"(
open 0 f rwc 644
utimens f 11 0 22 0 0 = ok
times f = ok 11 22
utimens f 33 omit 44 5 0 = ok
times f = ok 11 44
utimens f 33 1000000000 44 5 0 = EINVAL
utimens f 33 -5 44 5 0 = EINVAL
utimens no 1 omit 1 omit 0 = ok
utimens no 1 omit 1 now 0 = ENOENT
utimens f 1 0 1 0 x = EINVAL
symlink f l
utimens l 7 0 8 0 n = ok
times l = ok 7 8
times f = ok 11 44
utimens f 1 now 99 0 0 = ok
times f = ok now 99
utimens f null 0 = ok
times f = ok now now
utimens f 1 0 2 0 0
write 0 x
times f = ok 1 now
)"},
    {"open flags", R"(
umask 22
open 0 f r = ENOENT
open 0 f rwc 4777 = ok
stat f 0 = ok mode 104755 nlink 1 uid 0 gid 0 size 0
open 1 f rwcx 644 = EEXIST
open 1 f/ r = ENOTDIR
open 1 g/ rwc 644 = EISDIR
open 1 <> r = ENOENT
mkdir d 755
open 1 d w = EISDIR
open 1 d rw = EISDIR
open 1 d rc 644 = EISDIR
open 1 d/ rc 644 = EISDIR
open 1 d rt = EISDIR
open 1 d rcx 644 = EEXIST
open 1 d/x/y rc 644 = ENOENT
open 1 . rc 644 = EISDIR
open 1 . r = ok
open 1 f rd = ENOTDIR
open 1 n rcd 644 = EINVAL
open 1 d rT 644 = EINVAL
open 1 d rwT 600 = ok
fstat 1 = ok mode 100600 nlink 0 uid 0 gid 0 size 0
open 1 f rwT 600 = ENOTDIR
symlink target l
open 1 l rwcx 644 = EEXIST
open 1 l rwcn 644 = ELOOP
open 1 l rwc 644 = ok
stat target 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 0
symlink d/ ls
open 1 ls rc 644 = EISDIR
symlink new/ lt
open 1 lt rwc 644 = EISDIR
open 2 f rp = ok
read 2 1 = EBADF
write 2 x = EBADF
lseek 2 0 0 = EBADF
fstat 2 = ok mode 104755 nlink 1 uid 0 gid 0 size 0
getfl 2 = ok 10000000
setfl 2 ra = EBADF
fsync 2 = EBADF
mknod s 140600 0
open 3 s r = ENXIO
open 3 x{256} rwc 644 = ENAMETOOLONG
open 4 f rwa = ok
getfl 4 = ok 2002
setfl 4 r = ok
getfl 4 = ok 2
setfl 4 rak = ok
getfl 4 = ok 6002
)"},
    {"open of what one may not", R"(
umask 0
open 0 f wc 600
open 0 g wc 444
open 0 h wc 222
as 1000
open 1 f r = EACCES
open 1 f rc 644 = EACCES
open 1 g r = ok
open 1 g w = EACCES
open 1 g rt = EACCES
open 1 h r = EACCES
open 1 h w = ok
open 1 f rp = ok
open 1 no rc 644 = EACCES
open 1 no r = ENOENT
open 1 f rcx 644 = EEXIST
)"},
    {"read and write", R"(
open 0 f rwc 644
write 0 hello = ok 5
read 0 5 = ok
lseek 0 0 0 = ok 0
read 0 3 = ok hel
read 0 9 = ok lo
pwrite 0 J 0 = ok 1
pread 0 5 0 = ok Jello
pread 0 5 5 = ok
pread 0 5 -1 = EINVAL
pwrite 0 x -1 = EINVAL
lseek 0 0 1 = ok 5
lseek 0 -1 0 = EINVAL
lseek 0 0 9 = EINVAL
lseek 0 0 2 = ok 5
lseek 0 3 1 = ok 8
write 0 z = ok 1
pread 0 20 0 = ok Jello\0\0\0z
open 1 f r
write 1 x = EBADF
open 2 f w
read 2 1 = EBADF
open 3 f rwa
write 3 END = ok 3
pwrite 3 Z 0 = ok 1
pread 3 30 0 = ok Jello\0\0\0zENDZ
mkdir d 755
open 4 d rd
read 4 5 = EISDIR
pread 4 5 0 = EISDIR
write 4 x = EBADF
close 5 = EBADF
read 5 1 = EBADF
dup 0 5
lseek 0 2 0
read 5 3 = ok llo
close 5 = ok
lseek 0 0 3 = ok 0
lseek 0 0 4 = ok 13
lseek 0 13 3 = ENXIO
lseek 0 13 4 = ENXIO
lseek 0 99999 3 = ENXIO
)"},
    {"data and holes", R"(
open 0 f rwc 644
pwrite 0 a 0
pwrite 0 b 40960
lseek 0 0 3 = ok 0
lseek 0 0 4 = ok 4096
lseek 0 4096 3 = ok 40960
lseek 0 40960 4 = ok 40961
ftruncate 0 100000
lseek 0 45056 3 = ENXIO
lseek 0 45056 4 = ok 45056
fallocate 0 3 0 4096 = ok
lseek 0 0 3 = ok 40960
pread 0 3 0 = ok \0\0\0
)"},
    {"fallocate", R"(
open 0 f rwc 644
fallocate 0 0 0 5000 = ok
stat f 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 5000
fallocate 0 1 0 9000 = ok
stat f 0 = ok mode 100644 nlink 1 uid 0 gid 0 size 5000
fallocate 0 0 -1 5 = EINVAL
fallocate 0 0 0 0 = EINVAL
fallocate 0 0 0 -5 = EINVAL
fallocate 0 2 0 5 = EOPNOTSUPP
fallocate 0 1048576 0 5 = EOPNOTSUPP
fallocate 0 9 0 4096 = EINVAL
fallocate 0 19 0 4096 = EOPNOTSUPP
fallocate 0 0 9223372036854775807 1 = EFBIG
open 1 f r
fallocate 1 0 0 5 = EBADF
mknod p 10644 0
mkdir d 755
open 2 d rd
fallocate 2 0 0 5 = EBADF
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
    {"extended attributes", R"(
umask 0
open 0 f rwc 666
setx f user.a value 0 = ok
getx f user.a 100 = ok value
getx f user.a 0 = ok 5
getx f user.a 2 = ERANGE
getx f user.no 10 = ENODATA
setx f user.a again 1 = EEXIST
setx f user.b again 2 = ENODATA
setx f user.a again 2 = ok
setx f user.a again 4 = EINVAL
setx f user.e <> 0 = ok
getx f user.e 10 = ok
setx f user. x 0 = EINVAL
setx f nobody.x x 0 = EOPNOTSUPP
getx f nobody.x 5 = EOPNOTSUPP
setx f <> x 0 = ERANGE
setx f user.x{251} x 0 = ERANGE
setx f user.x{250} x 0 = ok
rmx f user.x{250} = ok
listx f 100 = ok user.a user.e
listx f 0 = ok 14
listx f 3 = ERANGE
rmx f user.a = ok
rmx f user.a = ENODATA
setx f trusted.t x 0 = ok
listx f 100 = ok trusted.t user.e
symlink f l
setx l user.via link 0 = ok
getx f user.via 10 = ok link
mknod p 10666 0
setx p user.a x 0 = EPERM
getx p user.a 5 = ENODATA
mkdir t 1777
as 1000
setx t user.a x 0 = EPERM
setx f user.mine x 0 = ok
as 0
chmod f 644
as 1000
setx f user.mine x 0 = EACCES
getx f user.mine 5 = ok x
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
