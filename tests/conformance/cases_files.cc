// SPDX-License-Identifier: Apache-2.0
//
// What calls on attributes, data and open files say in which case. The kernel is asked to confirm
// it.
#include "tests/conformance/script.h"

namespace conformance {

const std::vector<script_case>& file_cases() {
  static const std::vector<script_case> cases = {
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
  };
  return cases;
}

}  // namespace conformance
