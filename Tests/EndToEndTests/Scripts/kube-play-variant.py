"""Makes what podman plays of an export: kube-play-variant.py <export.yaml >play.yaml

podman 4.3 knows no StatefulSets and no Namespaces, and does not read `$$(NAME)` as Kubernetes does.
"""
import sys

import yaml


def unescaped(value):
    if isinstance(value, str):
        return value.replace("$$(", "$(")
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    if isinstance(value, dict):
        return {key: unescaped(item) for key, item in value.items()}
    return value


documents = []
for document in yaml.safe_load_all(sys.stdin):
    if document["kind"] not in ("ConfigMap", "PersistentVolumeClaim", "StatefulSet"):
        continue
    document["metadata"].pop("namespace")
    if document["kind"] == "StatefulSet":
        document["kind"] = "Deployment"
        spec = document["spec"]
        for key in ("serviceName", "ordinals", "podManagementPolicy"):
            spec.pop(key)
        for container in spec["template"]["spec"]["containers"]:
            container["image"] = "localhost/" + container["image"]
            container["imagePullPolicy"] = "Never"
            for key in ("command", "args", "env"):
                if key in container:
                    container[key] = unescaped(container[key])
    documents.append(document)
yaml.safe_dump_all(documents, sys.stdout)
