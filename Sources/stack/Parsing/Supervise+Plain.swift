extension Supervise: PlainlyParsed {
  static var withDefaults: Supervise { Supervise() }

  static var plainOptions: [PlainOption<Supervise>] { [] }

  mutating func takeOperands(_ words: [String]) -> Bool {
    guard let name = words.first, words.count <= 2 else { return false }
    stack = name
    initProgram = words.dropFirst().first
    return true
  }
}
