#!/usr/bin/env python3
"""Makes an image of random layers, as an OCI layout: random-image.py SEED FOLDER.

Only what all tools agree on: no name of a layer lies below a link or a file of lower ones."""
import tarfile, io, json, hashlib, gzip, os, random, sys
seed, out = int(sys.argv[1]), sys.argv[2]
r = random.Random(seed)
os.makedirs(out + '/blobs/sha256')
def blob(b, mt=None):
    h = hashlib.sha256(b).hexdigest(); open(f'{out}/blobs/sha256/{h}', 'wb').write(b)
    d = {'digest': 'sha256:' + h, 'size': len(b)}
    if mt: d['mediaType'] = mt
    return d
parts = ['a', 'b', 'c', 'dd', 'ü', 'x y', 'lib', '\udcff\udcfe', 'n' * 120]
def path(depth=3): return '/'.join(r.choice(parts) for _ in range(r.randint(1, depth)))
state = {}  # merged view: path -> kind
looks = {}  # of files of this layer: a further name repeats them, as tar(1) has it
def children(p): return [q for q in state if q.startswith(p + '/')]
def parent_ok(p):
    """No part above may be anything but a folder, so that every tool means the same."""
    q = os.path.dirname(p)
    while q:
        if state.get(q, 'd') != 'd': return False
        q = os.path.dirname(q)
    return True
layers = []
for number in range(r.randint(1, 4)):
    o = io.BytesIO(); fmt = r.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    t = tarfile.open(fileobj=o, mode='w', format=fmt, encoding='utf-8', errors='surrogateescape')
    here = {}; gone = set()
    def add(name, type=tarfile.REGTYPE, data=b'', link='', pax=None):
        i = tarfile.TarInfo(r.choice(['', './', '/']) + name); i.type = type; i.size = len(data)
        i.mode = r.choice([0o644, 0o755, 0o4755, 0o600, 0o1777, 0o2711]); i.uid = r.choice([0, 1, 1000, 70000]); i.gid = r.choice([0, 5, 65534])
        i.mtime = r.choice([0, 1, 1700000000, 2000000000, 1234567.25 if fmt == tarfile.PAX_FORMAT else 7]); i.linkname = link
        if type == tarfile.LNKTYPE: i.mode, i.uid, i.gid, i.mtime = looks[link.lstrip('./')]
        looks[name] = i.mode, i.uid, i.gid, i.mtime
        if fmt == tarfile.PAX_FORMAT and type in (tarfile.REGTYPE, tarfile.DIRTYPE) and r.random() < 0.2:
            i.pax_headers = {'SCHILY.xattr.user.note': r.choice(['', 'v', 'longer value'])}
            # CAP_NET_RAW, permitted and effective, version 2.
            if type == tarfile.REGTYPE: i.pax_headers['SCHILY.xattr.security.capability'] = '\x01\x00\x00\x02\x00\x20' + '\x00' * 14
        if type == tarfile.CHRTYPE: i.devmajor, i.devminor = 1, 3
        t.addfile(i, io.BytesIO(data))
    def drop(p):
        for q in children(p) + [p]: state.pop(q, None); here.pop(q, None)
    for _ in range(r.randint(3, 25)):
        kind = r.choices(['f', 'd', 'l', 'h', 'p', 'c', 'w', 'o'], [8, 6, 3, 3, 1, 1, 3, 1])[0]
        p = path()
        if not parent_ok(p): continue
        if kind == 'w':
            lower = [q for q in state if q not in here and not any(x in here for x in children(q)) and parent_ok(q)]
            if not lower: continue
            q = r.choice(lower); drop(q); gone.add(q)
            add(os.path.join(os.path.dirname(q), '.wh.' + os.path.basename(q))); continue
        if any(p == g or p.startswith(g + '/') or g.startswith(p + '/') for g in gone): continue
        if kind == 'o':
            # Only where nothing of this layer is yet, which is where the order makes no difference.
            ds = [q for q, k in state.items() if k == 'd' and q not in here and not any(x in here for x in children(q))]
            if not ds: continue
            q = r.choice(ds)
            for x in children(q): state.pop(x, None)
            add(q, tarfile.DIRTYPE); here[q] = state[q] = 'd'
            add(q + '/.wh..wh..opq'); continue
        targets = [q for q, k in here.items() if k == 'f' and q != p and not q.startswith(p + '/')]
        if kind == 'h' and not targets: continue
        if p in state and (kind != 'd' or state[p] != 'd'):
            # What lies below of lower layers would show again beneath a folder.
            if any(x not in here for x in children(p)): continue
            drop(p)
        if kind == 'h':
            add(p, tarfile.LNKTYPE, link=r.choice(['', '/', './']) + r.choice(targets))
            kind = 'f'
        elif kind == 'f': add(p, data=r.randbytes(r.choice([0, 1, 511, 512, 513, 5000])))
        elif kind == 'd': add(p, tarfile.DIRTYPE)
        elif kind == 'l': add(p, tarfile.SYMTYPE, link=r.choice(['a', '/b', '../..', '/nowhere/x', 'ü']))
        elif kind == 'p': add(p, tarfile.FIFOTYPE)
        elif kind == 'c': add(p, tarfile.CHRTYPE)
        q = os.path.dirname(p)
        while q:
            state.setdefault(q, 'd')
            here.setdefault(q, 'd')
            q = os.path.dirname(q)
        here[p] = state[p] = kind
    t.close(); raw = o.getvalue()
    d = blob(gzip.compress(raw, 1), 'application/vnd.oci.image.layer.v1.tar+gzip')
    layers.append((d, 'sha256:' + hashlib.sha256(raw).hexdigest()))
cfg = {'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': ['/x']}, 'rootfs': {'type': 'layers', 'diff_ids': [d for _, d in layers]},
       'history': [{'created_by': f'{seed}'} for _ in layers]}
c = blob(json.dumps(cfg).encode(), 'application/vnd.oci.image.config.v1+json')
m = blob(json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'config': c, 'layers': [l for l, _ in layers]}).encode(),
         'application/vnd.oci.image.manifest.v1+json')
m['annotations'] = {'org.opencontainers.image.ref.name': 'test'}
open(out + '/oci-layout', 'w').write('{"imageLayoutVersion":"1.0.0"}')
open(out + '/index.json', 'w').write(json.dumps({'schemaVersion': 2, 'manifests': [m]}))
