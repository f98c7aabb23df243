import StackFiles
import Vocabulary

/// Ends that others wait for. A pod sees the end of a Job only with rights in the cluster, and with a way to its
/// API through its policies. But it sees names: so the program of such a Job is an initContainer, and the container
/// after it does nothing but be ready, which gives the pod the name of the end.
extension ManifestBuilder {
  /// `migrate-done`; one for each replica where there are several.
  static func namesOfEnds(of service: StackFile.Service) -> [String] {
    let name = service.name.value
    guard service.scale.value != 1 else { return ["\(name)-done"] }
    return (0..<service.scale.value).map { "\(name)-\($0 + 1)-done" }
  }

  /// Stays until it is told to end. A pod that is taken off its node has then failed, so that the Job makes another.
  var stayingContainer: OutputValue {
    .mapping([
      "name": .text("done"), "image": .text(options.tools),
      "command": .texts(["/bin/sh", "-c", "trap 'exit 143' TERM; while :; do sleep 3600 & wait $!; done"]),
      "securityContext": Self.leastRights,
    ])
  }

  /// Pods that their node loses are none of the Job's failures.
  static let ignoringDisruptions = OutputValue.mapping([
    "rules": .list([
      .mapping([
        "action": .text("Ignore"),
        "onPodConditions": .list([.mapping(["type": .text("DisruptionTarget"), "status": .text("True")])]),
      ])
    ])
  ])

  mutating func noteEnd(of service: StackFile.Service) {
    ledger.note(
      "services.\(service.name.value)", .changed,
      "its Job stays after its end, so that others find it; if its node goes away, it runs once more",
      at: service.name.span)
    for (name, isThere) in [
      ("healthcheck", service.healthCheck != nil), ("post_start", !service.postStart.isEmpty),
      ("pre_stop", !service.preStop.isEmpty), ("stop_signal", service.stopSignal != nil),
    ] where isThere {
      ledger.note(
        key(service, name), .lost, "it runs in an initContainer, which has none", do: "do it in the command")
    }
  }
}
