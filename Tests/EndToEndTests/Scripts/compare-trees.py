#!/usr/bin/env python3
"""Says where two trees differ: kinds, owners, modes, times, contents, links, attributes. Status 1 if they do.

Folders may differ in their time and mode alone: those without an entry of their own get what each tool thinks best."""
import os, sys, stat, hashlib
def tree(root):
    out = {}; links = {}
    for d, ds, fs in os.walk(root.encode()):
        for n in ds + fs:
            p = os.path.join(d, n); s = os.lstat(p); rel = p[len(root) + 1:]
            k = stat.S_IFMT(s.st_mode); x = ''
            if k == stat.S_IFLNK: x = os.readlink(p)
            elif k == stat.S_IFREG: x = hashlib.sha256(open(p, 'rb').read()).hexdigest()[:8]; links.setdefault(s.st_ino, set()).add(rel)
            elif k in (stat.S_IFCHR, stat.S_IFBLK): x = s.st_rdev
            xs = sorted((a, os.getxattr(p, a, follow_symlinks=False)) for a in os.listxattr(p, follow_symlinks=False) if not a.startswith('trusted.overlay')) if k != stat.S_IFLNK else []
            out[rel] = (oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns, x, xs)
    return out, {frozenset(v) for v in links.values() if len(v) > 1}
(a, la), (b, lb) = tree(sys.argv[1]), tree(sys.argv[2])
bad = 0
for k in sorted(set(a) | set(b)):
    if a.get(k) != b.get(k):
        if k in a and k in b and a[k][0][:3] == '0o4' and b[k][0][:3] == '0o4': continue
        print(k, '\n   ', a.get(k), '\n   ', b.get(k)); bad = 1
if la != lb: print('links', la ^ lb); bad = 1
sys.exit(bad)
