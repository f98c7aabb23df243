/// A step on the way to a value: the key of a member, or a place in a list.
struct JSONKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) {
    stringValue = "\(intValue)"
    self.intValue = intValue
  }

  /// The member that holds what a superclass has written.
  static let superclass = JSONKey(stringValue: "super")
}
