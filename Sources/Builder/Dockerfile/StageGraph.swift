import ImageFormat
import StackFiles

/// The stages that a target needs, what each begins with, and which it waits for.
package struct StageGraph: Sendable {
  /// Where files or a whole root file system come from.
  package enum Origin: Sendable, Hashable {
    case scratch
    /// The stage of this index.
    case stage(Int)
    /// An additional context, by its name.
    case context(String)
    /// An image's name, as it is written.
    case image(String)
  }

  package struct Node: Sendable {
    package var stage: Stage
    package var base: Origin
    /// The indices of stages that must be built before, without repetitions: its base, and those that it copies from
    /// or mounts.
    package var dependencies: [Int]
    /// The origin of each `--from` and `from=`, by its text.
    package var origins: [String: Origin]
  }

  /// Those that are needed and no others. Each stands behind its dependencies.
  package internal(set) var nodes: [Node]
  /// The index of the stage that is built.
  package internal(set) var target: Int
  /// The ARGs before the first FROM that have a value.
  package internal(set) var globals: [String: String]

  package func node(_ index: Int) -> Node? { nodes.first { $0.stage.index == index } }

  /// The images that must be there before a stage begins, in order, without repetitions.
  package var images: [String] {
    var seen: Set<String> = []
    return nodes.flatMap { [$0.base] + $0.origins.sorted { $0.key < $1.key }.map(\.value) }.compactMap {
      if case .image(let name) = $0, seen.insert(name).inserted { name } else { nil }
    }
  }
}

extension StageGraph {
  /// - Returns: Nil, with diagnostics, where a stage is unknown, stages form a circle, or a platform is foreign.
  package static func resolve(
    _ dockerfile: Dockerfile, _ inputs: BuildInputs, _ diagnostics: DiagnosticList
  ) -> StageGraph? {
    let known = diagnostics.errorCount
    let resolver = StageResolver(dockerfile: dockerfile, inputs: inputs, diagnostics: diagnostics)
    let graph = resolver.graph()
    return diagnostics.errorCount == known ? graph : nil
  }
}
