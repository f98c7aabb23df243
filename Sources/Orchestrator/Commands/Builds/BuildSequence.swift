import BuildExecutor
import Dockerfile
import ImageReference

/// The order in which several images are built: one that is built from another of them comes after it.
struct BuildSequence {
  /// For each order the numbers of those that it waits for. No two wait for each other.
  private(set) var needs: [Set<Int>]

  init(_ orders: [BuildCommand.Order], _ requests: [BuildRequest]) {
    needs = orders.map { _ in [] }
    let names = orders.map { Set($0.names.map(\.canonical)) }
    for (number, request) in requests.enumerated() {
      let used = Set(request.imageNames.compactMap { try? ImageReference($0).canonical })
      for other in orders.indices where other != number && !used.isDisjoint(with: names[other]) {
        // Of two that are built from each other, the first in the file is built from what there is.
        if !reaches(from: other, number) { needs[number].insert(other) }
      }
    }
  }

  private func reaches(from start: Int, _ goal: Int) -> Bool {
    var (seen, waiting): (Set<Int>, [Int]) = ([], [start])
    while let number = waiting.popLast() {
      if number == goal { return true }
      if seen.insert(number).inserted { waiting += needs[number] }
    }
    return false
  }
}

extension BuildRequest {
  /// The images that it takes files from, as they are written.
  fileprivate var imageNames: [String] {
    let stages = graph.nodes.flatMap { [$0.base] + $0.origins.values }.compactMap { origin in
      if case .image(let name) = origin { name } else { nil as String? }
    }
    return stages
      + contexts.values.compactMap { context in if case .image(let name) = context { name } else { nil as String? } }
  }
}
