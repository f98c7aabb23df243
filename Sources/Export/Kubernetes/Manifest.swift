import StackFiles
import Vocabulary

/// A document of an export, with the place in the stack file that it comes from.
package struct Manifest: Sendable {
  package var kind: String
  package var name: String
  /// `web.stack:9`; several with commas between.
  package var places: [String]
  /// The file that it stands in, beside the others.
  package var file: String
  package var value: OutputValue

  /// The file that all Secrets stand in.
  static let secretsFile = "secrets.yaml"

  /// Without the comment and the separator.
  var yaml: String { value.yaml }

  /// With its place as a comment.
  package var text: String {
    (places.isEmpty ? "" : Shell.comment(places.joined(separator: ", ")) + "\n") + yaml
  }
}

extension [Manifest] {
  /// The documents of one stream.
  package var stream: String { map { "---\n" + $0.text }.joined() }

  /// The texts of the files, with what kubectl reads first.
  var files: [ExportFile] {
    var order: [String] = []
    var texts: [String: [String]] = [:]
    for manifest in self {
      if texts[manifest.file] == nil { order.append(manifest.file) }
      texts[manifest.file, default: []].append(manifest.text)
    }
    let index = OutputValue.mapping([
      "apiVersion": .text("kustomize.config.k8s.io/v1beta1"), "kind": .text("Kustomization"),
      "resources": .texts(order),
    ])
    return [ExportFile(name: "kustomization.yaml", text: index.yaml)]
      + order.map { name in
        ExportFile(
          name: name, text: (texts[name] ?? []).joined(separator: "---\n"), isSecret: name == Manifest.secretsFile)
      }
  }
}

/// The parts that documents of Kubernetes have in common.
enum KubernetesObject {
  static func value(
    _ version: String, _ kind: String, name: String, namespace: String?, labels: [String: String] = [:],
    annotations: [String: String] = [:], _ rest: KeyValuePairs<String, OutputValue?>
  ) -> OutputValue {
    OutputValue.mapping([
      "apiVersion": .text(version), "kind": .text(kind),
      "metadata": metadata(name: name, namespace: namespace, labels: labels, annotations: annotations),
    ]).adding(rest.compactMap { key, value in value.map { .init(key: key, value: $0) } })
  }

  static func metadata(
    name: String? = nil, namespace: String? = nil, labels: [String: String] = [:], annotations: [String: String] = [:]
  ) -> OutputValue {
    .mapping([
      "name": name.map { .text($0) }, "namespace": namespace.map { .text($0) },
      "labels": labels.isEmpty ? nil : .texts(labels), "annotations": annotations.isEmpty ? nil : .texts(annotations),
    ])
  }
}

extension OutputValue {
  /// By key.
  static func texts(_ texts: [String: String]) -> OutputValue {
    .mapping(texts.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .text($0.value)) })
  }

  static func list(_ items: [OutputValue], unlessEmpty: Bool) -> OutputValue? {
    unlessEmpty && items.isEmpty ? nil : .list(items)
  }

  /// Nil where there is nothing in it.
  var unlessEmpty: OutputValue? {
    switch self {
    case .list(let items): items.isEmpty ? nil : self
    case .mapping(let entries): entries.isEmpty ? nil : self
    case .text, .number, .bool: self
    }
  }
}
