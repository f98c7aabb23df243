/// Something that a stack file declares under a name.
package protocol Named {
  var name: Located<String> { get }
}

/// Declarations in the order of the file, found by name in constant time.
package struct NamedList<Element: Named>: RandomAccessCollection {
  private var elements: [Element] = []
  private var places: [String: Int] = [:]

  init() {}

  init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  package var startIndex: Int { 0 }
  package var endIndex: Int { elements.count }
  package subscript(place: Int) -> Element { elements[place] }

  /// Setting under a name that is there replaces that element in its place; a new one goes last. Setting nil is ignored.
  package subscript(name: String) -> Element? {
    get { places[name].map { elements[$0] } }
    set {
      guard let newValue else { return }
      append(newValue)
    }
  }

  /// Adds an element, or replaces the one of the same name.
  mutating func append(_ element: Element) {
    if let place = places[element.name.value] {
      elements[place] = element
    } else {
      places[element.name.value] = elements.count
      elements.append(element)
    }
  }

  package var names: [String] { elements.map(\.name.value) }
}

extension NamedList: Sendable where Element: Sendable {}

extension NamedList: Equatable where Element: Equatable {
  package static func == (left: Self, right: Self) -> Bool { left.elements == right.elements }
}
