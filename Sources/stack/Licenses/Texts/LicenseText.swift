/// The full text of a license that holds for a part of the binary.
///
/// The texts are those of Debian's /usr/share/common-licenses, without form feeds. They are verbatim: leave them as they are.
struct LicenseText: Sendable {
  var title: String
  var text: String

  static let all: [LicenseText] = [gpl3, lgpl21, apache2, swiftException, gccException, mit]
}
