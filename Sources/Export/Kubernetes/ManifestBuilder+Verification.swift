import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// A Job for each service that asks the others in its place, under the labels that policies know it by.
  func verification() -> [Manifest] {
    let questions = ReachQuestions(matrix, input)
    let script = Manifest(
      kind: "ConfigMap", name: "verify", places: [], file: "verify.yaml",
      value: KubernetesObject.value(
        "v1", "ConfigMap", name: "verify", namespace: namespace,
        [
          "data": .mapping(
            [.init(key: "ask.sh", value: .text(VerifyScript.text))]
              + questions.sources.map { .init(key: $0.name, value: .text(questions.text(from: $0))) })
        ]))
    return [script] + questions.sources.map { job(for: $0) }
  }

  private func job(for source: TrafficMatrix.Member) -> Manifest {
    let name = "verify-\(source.name)"
    var labels = [
      StackLabel.service: source.service, StackLabel.pod: source.podName, StackLabel.verify: namespace,
    ]
    for label in labelsOf[source.name] ?? [] { labels[label] = StackLabel.yes }
    let container = OutputValue.mapping([
      "name": .text("ask"), "image": .text(options.tools),
      "command": .texts(["/bin/sh", "/verify/ask.sh", "/verify/\(source.name)"]),
      "securityContext": Self.leastRights,
      "volumeMounts": .list([
        .mapping(["name": .text("verify"), "mountPath": .text("/verify"), "readOnly": .bool(true)])
      ]),
    ])
    let value = KubernetesObject.value(
      "batch/v1", "Job", name: name, namespace: namespace, labels: [StackLabel.verify: namespace],
      [
        "spec": .mapping([
          "backoffLimit": .number(0),
          "template": .mapping([
            "metadata": KubernetesObject.metadata(labels: labels),
            "spec": .mapping([
              "restartPolicy": .text("Never"), "automountServiceAccountToken": .bool(false),
              "enableServiceLinks": .bool(false), "containers": .list([container]),
              "volumes": .list([
                .mapping(["name": .text("verify"), "configMap": .mapping(["name": .text("verify")])])
              ]),
            ]),
          ]),
        ])
      ])
    return Manifest(kind: "Job", name: name, places: [], file: "verify.yaml", value: value)
  }
}
