#!/usr/bin/env python3
"""Makes an OCI layout with one image named `test`: make-layout.py FOLDER BYTES…, a layer of so many random bytes for each number."""
import gzip, hashlib, io, json, os, random, sys, tarfile
folder, sizes = sys.argv[1], [int(text) for text in sys.argv[2:]]
os.makedirs(f"{folder}/blobs/sha256")


def blob(data, type):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{folder}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": f"application/vnd.oci.image.{type}", "digest": f"sha256:{digest}", "size": len(data)}


layers, contents = [], []
for number, size in enumerate(sizes):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(f"file{number}")
        entry.size = size
        tar.addfile(entry, io.BytesIO(random.Random(number).randbytes(size)))
    contents.append("sha256:" + hashlib.sha256(archive.getvalue()).hexdigest())
    layers.append(blob(gzip.compress(archive.getvalue(), 1, mtime=0), "layer.v1.tar+gzip"))
machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
config = {"architecture": machine, "os": "linux", "config": {"Cmd": ["/file0"]},
          "rootfs": {"type": "layers", "diff_ids": contents}}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": layers}
index = {"schemaVersion": 2, "manifests": [
    blob(json.dumps(manifest).encode(), "manifest.v1+json") | {"annotations": {"org.opencontainers.image.ref.name": "test"}}]}
for name, value in [("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", index)]:
    with open(f"{folder}/{name}", "w") as file:
        json.dump(value, file)
