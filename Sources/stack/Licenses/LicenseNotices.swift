/// The notices about rights that come with the binary.
enum LicenseNotices {
  static let summary = """
    The sources of stack are licensed under the Apache License 2.0.

    The release binary contains libnftnl, which is licensed under the GNU GPL,
    version 2 or later. The Apache License 2.0 agrees with version 3 of the GPL,
    and not with version 2. So the binary as a whole is licensed under the GNU
    GPL, version 3 or later (GPL-3.0-or-later). There is no warranty, to the
    extent permitted by law.

    Using the binary is free for any purpose. Whoever passes it on also passes on
    these notices and the license texts (stack licenses --full), and provides or
    offers the sources of the build: stack and the libraries below.
    """

  /// The summary and an entry for each component.
  static var text: String {
    summary + "\n\n" + LinkedComponent.all.map(entry).joined(separator: "\n")
  }

  /// The notices, then the text of each license once.
  static var fullText: String {
    text + LicenseText.all.map { "\n\(rule)\n\($0.title)\n\(rule)\n\n\($0.text)\n" }.joined()
  }

  /// One line for each component, with tabs between: name, license, linkage, files with spaces between, source.
  static var table: String {
    LinkedComponent.all.map { component in
      [
        component.name, component.license, component.linkage.rawValue, component.files.joined(separator: " "),
        component.source,
      ]
      .joined(separator: "\t") + "\n"
    }.joined()
  }

  private static let rule = String(repeating: "=", count: 80)

  private static func entry(_ component: LinkedComponent) -> String {
    """
    \(component.name)
      license    \(component.license)
      linked     \(component.linkage == .static ? "statically" : "dynamically")
      copyright  \(component.copyright)
      sources    \(component.source)

    """
  }
}
