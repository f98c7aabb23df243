/// Matching of patterns in which some parts stand for any number of elements.
package enum Wildcards {
  /// Goes back to the last such part alone, so that no pattern takes more than the product of the lengths.
  ///
  /// - Parameters:
  ///   - isMany: true for a part that stands for any number of elements, also none.
  ///   - fits: true if a part stands for one element.
  package static func match<Part, Element>(
    _ pattern: [Part], _ elements: [Element], isMany: (Part) -> Bool, fits: (Part, Element) -> Bool
  ) -> Bool {
    var (place, next) = (0, 0)
    var retry: (pattern: Int, element: Int)?
    while next < elements.count {
      if place < pattern.count, isMany(pattern[place]) {
        retry = (place, next)
        place += 1
      } else if place < pattern.count, fits(pattern[place], elements[next]) {
        place += 1
        next += 1
      } else if let last = retry {
        retry = (last.pattern, last.element + 1)
        place = last.pattern + 1
        next = last.element + 1
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy(isMany)
  }
}
