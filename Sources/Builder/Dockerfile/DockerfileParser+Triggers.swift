import StackFiles

extension DockerfileParser {
  /// The instructions that an image's ONBUILD triggers hold, in order.
  ///
  /// - Parameter image: The image's name, for messages.
  /// - Returns: Nil, with diagnostics, where one cannot be read.
  package static func triggers(
    _ texts: [String], of image: String, _ diagnostics: DiagnosticList
  ) -> [Instruction]? {
    var instructions: [Instruction] = []
    for text in texts {
      let bytes = Array("FROM scratch\n\(text)\n".utf8)
      guard let tree = parse(path: "ONBUILD of \(image)", bytes: bytes, diagnostics) else { return nil }
      let found = tree.stages.flatMap(\.instructions)
      guard tree.stages.count == 1, found.count == 1, let instruction = found.first, !instruction.isTrigger else {
        diagnostics.add(
          Diagnostic(
            .badTrigger, "the image's ONBUILD \"\(text)\" is not one instruction", file: "ONBUILD of \(image)",
            help: ["build upon another image"]))
        return nil
      }
      instructions.append(instruction)
    }
    return instructions
  }
}

extension Instruction {
  fileprivate var isTrigger: Bool { if case .onBuild = kind { true } else { false } }
}
