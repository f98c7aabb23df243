import Vocabulary

extension StackFile.Build {
  /// The mapping that means the same, with absolute paths.
  var output: OutputValue {
    .mapping([
      "context": .escaped(context.value),
      "dockerfile": dockerfile.map { .escaped($0.value) },
      "dockerfile_inline": inline.map { .escaped($0.value) },
      "args": arguments.isEmpty
        ? nil : .mapping(arguments.map { .init(key: $0.name.value, value: .escaped($0.value)) }),
      "target": target.map { .escaped($0.value) },
      "tags": tags.isEmpty ? nil : .texts(tags.map(\.value)),
      "labels": labels.isEmpty
        ? nil : .mapping(labels.map { .init(key: $0.name.value, value: .escaped($0.value)) }),
      "network": network.map { .text($0.value.text) },
      "no_cache": usesCache ? nil : .bool(true),
      "no_cache_filter": uncachedStages.isEmpty ? nil : .texts(uncachedStages.map(\.value)),
      "pull": pulls ? .bool(true) : nil,
      "secrets": secrets.isEmpty
        ? nil
        : .list(secrets.map { .mapping(["source": .text($0.source.value), "target": .escaped($0.id)]) }),
      "extra_hosts": extraHosts.isEmpty
        ? nil : .list(extraHosts.map { .text("\($0.name.value)=\($0.address.value)") }),
      "shm_size": sharedMemory.map { .text("\($0)") },
      "additional_contexts": contexts.isEmpty
        ? nil : .mapping(contexts.map { .init(key: $0.name.value, value: .escaped($0.origin.value.text)) }),
      "ulimits": limits.isEmpty ? nil : .mapping(limits.map { .init(key: $0.kind.rawValue, value: $0.output) }),
    ])
  }
}

extension StackFile.Build.Network {
  fileprivate var text: String {
    switch self {
    case .none: "none"
    case .host: "host"
    case .named(let name): name
    }
  }
}

extension StackFile.Build.Context {
  fileprivate var text: String {
    switch self {
    case .folder(let path): path
    case .service(let name): "service:\(name)"
    case .image(let name) where name.hasPrefix("oci:"): "oci-layout://\(name.dropFirst(4))"
    case .image(let name): "docker-image://\(name)"
    }
  }
}
