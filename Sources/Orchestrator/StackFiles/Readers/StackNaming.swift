import Vocabulary

/// The name of a stack whose file or caller gives it none, and the name that files say, before they are read.
enum StackNaming {
  /// `web.stack` is web. A YAML file, whatever it is called, has its folder's name, as with Compose.
  static func name(ofPath location: String) -> String {
    let (folder, file) = Path.split(location)
    let stem = file.split(separator: ".").first.map(String.init) ?? ""
    let isGeneric =
      ["compose", "docker-compose", "stack", "<stdin>"].contains(stem) || file.hasSuffix(".yml")
      || file.hasSuffix(".yaml")
    return normalized(isGeneric ? Path.split(folder).name : stem)
  }

  /// The last `name:` among documents. Nil if there is none, or one that is wrong, which is reported when it is read.
  static func name(among roots: [Node], _ variables: Variables) -> String? {
    for root in roots.reversed() {
      guard let text = root["name"]?.scalar?.text, !text.isEmpty else { continue }
      guard let written = (try? Template(text))?.expanded({ variables[$0] }).text else { return nil }
      return adapted(written) ?? written
    }
    return nil
  }

  /// The name of a stack as Compose makes it of the name in a file: small letters, without spaces and points.
  ///
  /// - Returns: nil for a name with other characters, which is a mistake or leads elsewhere, and for one too long.
  static func adapted(_ text: String) -> String? {
    let isOrdinary = text.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", " ": true
      default: false
      }
    }
    let name = normalized(text)
    guard isOrdinary, text.utf8.count <= NameRule.maximumLength, NameRule.stack.problem(with: name) == nil else {
      return nil
    }
    return name
  }

  /// As Compose makes a project's name of a folder's: small letters, and only the characters that a name may have.
  private static func normalized(_ text: String) -> String {
    let letters = text.lowercased().unicodeScalars.filter { scalar in
      switch scalar {
      case "a"..."z", "0"..."9", "_", "-": true
      default: false
      }
    }
    return String(String.UnicodeScalarView(letters.drop { $0 == "_" || $0 == "-" }.prefix(NameRule.maximumLength)))
  }
}

extension StackFile {
  /// True if some stack can have the name, as it is or as Compose would adapt it.
  package static func isPossibleName(_ text: String) -> Bool { StackNaming.adapted(text) != nil }
}
