/// The cables that carry each other's frames: switches join those that end at them.
package struct CableDomains: Sendable {
  /// By cable: the number of the first one that it is joined with.
  private let first: [Int]
  /// By that number: those that are joined, where they are several.
  private let joined: [Int: [Int]]

  /// - Parameters:
  ///   - cables: the names of the two nodes that each cable is between.
  ///   - switches: the names of nodes that pass frames on between all of their cables.
  package init(_ cables: [(String, String)], switches: Set<String>) {
    var first = Array(cables.indices)
    func root(_ cable: Int) -> Int {
      var cable = cable
      while first[cable] != cable { cable = first[cable] }
      return cable
    }
    var seen: [String: Int] = [:]
    for (index, cable) in cables.enumerated() where !switches.isEmpty {
      for node in [cable.0, cable.1] where switches.contains(node) {
        guard let other = seen.updateValue(index, forKey: node) else { continue }
        let (one, two) = (root(other), root(index))
        first[max(one, two)] = min(one, two)
      }
    }
    let roots = cables.indices.map(root)
    self.first = roots
    joined = switches.isEmpty ? [:] : Dictionary(grouping: cables.indices) { roots[$0] }
  }

  package subscript(cable: Int) -> Int { first[cable] }

  /// The cables that carry what one carries, itself among them.
  package func cables(with cable: Int) -> [Int] { joined[first[cable]] ?? [cable] }

  /// A cable between two switches that others join already; nil where frames have one way to everywhere.
  package static func circle(_ cables: [(String, String)], switches: Set<String>) -> Int? {
    var parents: [String: String] = [:]
    func root(_ node: String) -> String {
      var node = node
      while let parent = parents[node] { node = parent }
      return node
    }
    for (index, cable) in cables.enumerated() where switches.contains(cable.0) && switches.contains(cable.1) {
      let (one, two) = (root(cable.0), root(cable.1))
      if one == two { return index }
      parents[two] = one
    }
    return nil
  }
}
