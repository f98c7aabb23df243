#!/usr/bin/env python3
"""many-layers.py COUNT FOLDER: an image of COUNT layers, as an OCI layout. Each has a file of its own, and one that all have."""

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile

count, out = int(sys.argv[1]), sys.argv[2]
os.makedirs(f"{out}/blobs/sha256")


def blob(data, kind):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{out}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}


layers = []
for number in range(count):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        def add(name, data, mode=0o644):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            tar.addfile(info, io.BytesIO(data))

        if number == 0:
            with open(shutil.which("busybox"), "rb") as file:
                add("bin/busybox", file.read(), 0o755)
        add(f"files/{number}", b"")
        add("last", str(number).encode())
    layers.append(blob(stream.getvalue(), "layer.v1.tar"))
config = {
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine], "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
}
manifest = {
    "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": layers,
}
entry = blob(json.dumps(manifest).encode(), "manifest.v1+json")
for name, text in [("oci-layout", {"imageLayoutVersion": "1.0.0"}), ("index.json", {"schemaVersion": 2, "manifests": [entry]})]:
    with open(f"{out}/{name}", "w", encoding="utf-8") as file:
        json.dump(text, file)
