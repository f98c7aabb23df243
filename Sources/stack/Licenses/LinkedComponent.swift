/// One work of others that the release binary contains or loads.
///
/// tools/licenses compares ``all`` with the linker's map of a release build, and makes docs/licenses.md from both.
struct LinkedComponent: Sendable {
  enum Linkage: String, Sendable {
    /// Its code is part of the executable file.
    case `static`
    /// The dynamic loader maps it at each start (ld.so(8)).
    case dynamic
  }

  var name: String
  /// An SPDX license expression (spdx.org/licenses).
  var license: String
  var linkage: Linkage
  /// Its names in the linker's map: archives, shared objects, or modules that SwiftPM compiles. A `*` ends a prefix.
  var files: [String]
  /// As the component's own files state it.
  var copyright: String
  /// The address of its sources.
  var source: String

  static let all: [LinkedComponent] = [
    LinkedComponent(
      name: "libnftnl", license: "GPL-2.0-or-later", linkage: .static, files: ["libnftnl.a"],
      copyright:
        "2012-2022 Pablo Neira Ayuso, Arturo Borrero Gonzalez, Alvaro Neira Ayuso, Eric Leblond, Intel Corporation",
      source: "https://netfilter.org/projects/libnftnl"),
    LinkedComponent(
      name: "libseccomp", license: "LGPL-2.1-only", linkage: .static, files: ["libseccomp.a"],
      copyright: "2012-2022 Paul Moore, Ashley Lai, Corey Bryant, Eduardo Otubo, Eric Paris; 2006 Bob Jenkins (hash)",
      source: "https://github.com/seccomp/libseccomp"),
    LinkedComponent(
      name: "libyaml", license: "MIT", linkage: .static, files: ["libyaml.a"],
      copyright: "2017-2020 Ingy döt Net; 2006-2016 Kirill Simonov", source: "https://github.com/yaml/libyaml"),
    LinkedComponent(
      name: "Swift runtime and standard library", license: "Apache-2.0 WITH Swift-exception", linkage: .static,
      files: [
        "libswift*", "swiftrt.o", "libFoundationEssentials.a", "lib_Foundation*", "libdispatch.a", "libBlocksRuntime.a",
      ],
      copyright: "2014-2026 Apple Inc. and the Swift project authors; parts by LLVM and by Unicode, Inc.",
      source: "https://github.com/swiftlang"),
    LinkedComponent(
      name: "swift-argument-parser", license: "Apache-2.0 WITH Swift-exception", linkage: .static,
      files: ["ArgumentParser.build", "ArgumentParserToolInfo.build"],
      copyright: "2020-2026 Apple Inc. and the Swift project authors",
      source: "https://github.com/apple/swift-argument-parser"),
    LinkedComponent(
      name: "swift-system", license: "Apache-2.0 WITH Swift-exception", linkage: .static,
      files: ["SystemPackage.build", "CSystem.build"],
      copyright: "2020-2026 Apple Inc. and the Swift System project authors",
      source: "https://github.com/apple/swift-system"),
    LinkedComponent(
      name: "libstdc++ and libgcc", license: "GPL-3.0-or-later WITH GCC-exception-3.1", linkage: .static,
      files: ["libstdc++.a", "libgcc.a", "libgcc_eh.a", "libgcc_s.a", "crtbegin*", "crtend*"],
      copyright: "1985-2022 Free Software Foundation, Inc.", source: "https://gcc.gnu.org"),
    LinkedComponent(
      name: "libmnl", license: "LGPL-2.1-or-later", linkage: .dynamic, files: ["libmnl.so*"],
      copyright: "2008-2012 Pablo Neira Ayuso", source: "https://netfilter.org/projects/libmnl"),
    LinkedComponent(
      name: "GNU C Library", license: "LGPL-2.1-or-later", linkage: .dynamic,
      files: ["libc.so*", "libm.so*", "ld-linux*", "libc_nonshared.a", "crt1.o", "Scrt1.o", "crti.o", "crtn.o"],
      copyright: "1991-2023 Free Software Foundation, Inc.", source: "https://sourceware.org/glibc"),
  ]
}
