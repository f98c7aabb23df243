import ArgumentParser

/// A command whose common forms are read from a table, without the library.
///
/// The library asks the runtime about the type of each option. Each answer takes a walk past all conformances, and
/// together they take 2 ms of every start. The table answers the same for what it knows, and leaves all else to the
/// library: abbreviations, bundles, help, and every mistake.
protocol PlainlyParsed: ParsableCommand {
  /// Every property with its default, as its declaration has it. The library gives them only as it parses.
  static var withDefaults: Self { get }

  static var plainOptions: [PlainOption<Self>] { get }

  /// Takes the words that belong to no option; false when it has no place for them.
  mutating func takeOperands(_ words: [String]) -> Bool

  /// True when everything from the first operand on is an operand, whatever it looks like.
  static var endsAtFirstOperand: Bool { get }
}

extension PlainlyParsed {
  static var endsAtFirstOperand: Bool { false }

  /// The command that the words say; nil when they are not of the common forms.
  static func plain(_ words: ArraySlice<String>) -> Self? {
    var command = withDefaults
    let options = plainOptions
    var operands: [String] = []
    var singles: Set<Int> = []
    var rest = words
    while let word = rest.popFirst() {
      guard word.hasPrefix("-") else {
        operands.append(word)
        guard !endsAtFirstOperand else {
          operands += rest
          break
        }
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let place = options.firstIndex(where: { $0.names.contains(name) }) else { return nil }
      let option = options[place]
      // Of an option that stands twice, the library knows which one counts.
      guard option.isRepeatable || singles.insert(place).inserted else { return nil }
      switch option.effect {
      case .flag(let set):
        guard parts.count == 1 else { return nil }
        set(&command)
      case .value(let set):
        let value: String
        if parts.count == 2 {
          guard name.hasPrefix("--") else { return nil }
          value = String(parts[1])
        } else {
          guard let next = rest.popFirst() else { return nil }
          value = next
        }
        guard !value.isEmpty, !value.hasPrefix("-"), set(&command, value) else { return nil }
      }
    }
    guard command.takeOperands(operands), (try? command.validate()) != nil else { return nil }
    return command
  }
}

/// An option of a command, by its names and what it does.
struct PlainOption<Command> {
  enum Effect {
    case flag((inout Command) -> Void)
    /// The closure is false for a value that is none.
    case value((inout Command, String) -> Bool)
  }

  let names: [String]
  let isRepeatable: Bool
  let effect: Effect

  static func flag(_ names: String..., set: @escaping (inout Command) -> Void) -> Self {
    Self(names: names, isRepeatable: false, effect: .flag(set))
  }

  static func text(_ names: String..., set: @escaping (inout Command, String) -> Void) -> Self {
    Self(
      names: names, isRepeatable: false,
      effect: .value {
        set(&$0, $1)
        return true
      })
  }

  /// Each value is one more.
  static func texts(_ names: String..., add: @escaping (inout Command, String) -> Void) -> Self {
    Self(
      names: names, isRepeatable: true,
      effect: .value {
        add(&$0, $1)
        return true
      })
  }

  static func number<Number: LosslessStringConvertible>(
    _ names: String..., set: @escaping (inout Command, Number) -> Void
  ) -> Self {
    Self(
      names: names, isRepeatable: false,
      effect: .value { command, text in
        guard let number = Number(text) else { return false }
        set(&command, number)
        return true
      })
  }

  static func choice<Choice: RawRepresentable<String>>(
    _ names: String..., set: @escaping (inout Command, Choice) -> Void
  ) -> Self {
    Self(
      names: names, isRepeatable: false,
      effect: .value { command, text in
        guard let choice = Choice(rawValue: text) else { return false }
        set(&command, choice)
        return true
      })
  }
}
