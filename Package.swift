// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

/// A room of the Orchestrator, in the folder of its name. It may call only the rooms that it names.
func room(_ name: String, folder: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/Orchestrator/\(folder ?? name)", swiftSettings: strict)
}

/// A part of Sources/Images, in the folder of its name.
func images(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Images/\(name)", swiftSettings: strict)
}

/// A part of Sources/Builder, in the folder of its name.
func builder(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/Builder/\(name)", swiftSettings: strict)
}

let package = Package(
  name: "stack",
  products: [
    .executable(name: "stack", targets: ["stack"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
  ],
  targets: [
    .target(name: "CLinux", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    // Without pkgConfig, which would have the system's libraries found before the archives that are linked in.
    .systemLibrary(name: "CNetfilter"),
    .systemLibrary(name: "CSeccomp"),
    .systemLibrary(name: "CYaml"),
    .target(name: "CImages", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .target(name: "CConformances", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),

    // The kernel's interfaces. Values stand apart from what opens sockets and starts processes.
    .target(name: "Kernel", dependencies: ["CLinux", systemPackage], swiftSettings: strict),
    .target(name: "Addresses", path: "Sources/Netlink/Addresses", swiftSettings: strict),
    .target(name: "JSON", swiftSettings: strict),
    .target(
      name: "Netfilter", dependencies: ["Addresses", "CNetfilter"], path: "Sources/Netlink/Netfilter",
      swiftSettings: strict),
    .target(
      name: "Netlink", dependencies: ["Addresses", "Netfilter", "Kernel", "CNetfilter", systemPackage],
      exclude: ["Addresses", "Netfilter"], swiftSettings: strict),
    .target(name: "Isolation", path: "Sources/Runtime/Isolation", swiftSettings: strict),
    .target(
      name: "Runtime", dependencies: ["Isolation", "Kernel", "CLinux", "CSeccomp", systemPackage],
      exclude: ["Isolation"], swiftSettings: strict),

    // Images: where they come from, what they are, and where they are kept.
    images("ImageReference", []),
    images("ImageFormat", ["ImageReference"]),
    images("Digests", ["ImageReference", "CImages"]),
    images("Registry", ["ImageFormat", "ImageReference", "Digests", "Kernel", "CImages", systemPackage]),
    images("Layer", ["ImageReference", "Digests", "Kernel", "CLinux", "CImages", systemPackage]),
    images("ImageStore", ["ImageReference", "JSON", "Digests", "Kernel", "CImages", systemPackage]),
    images(
      "Images",
      [
        "ImageStore", "Layer", "Registry", "ImageFormat", "ImageReference", "Digests", "Kernel", "CLinux", "CImages",
        systemPackage,
      ]),

    // Many containers as one stack, from what everything knows to what knows everything.
    room("Loop", ["Kernel", "CLinux", systemPackage]),
    room("DNS", ["Addresses"]),
    room("Vocabulary", ["Addresses", "Isolation", "Kernel"]),
    room("Logs", ["Loop", "Kernel", "CLinux", systemPackage]),
    room("Control", ["JSON", "Loop", "Kernel", "CLinux", systemPackage]),
    room(
      "StackFiles",
      [
        "ImageFormat", "ImageReference", "Vocabulary", "DNS", "Addresses", "Isolation", "Kernel", "CYaml", "CLinux",
        systemPackage,
      ]),
    room("Intent", ["Vocabulary", "Addresses", "Isolation"]),

    // Builds: what a Dockerfile says, what a context holds, and what is known of former steps.
    builder("Dockerfile", ["StackFiles", "Vocabulary", "ImageFormat", "ImageReference"]),
    builder("BuildIgnore", ["StackFiles"]),
    builder(
      "BuildContext",
      ["BuildIgnore", "StackFiles", "Digests", "ImageReference", "Kernel", "CLinux", "CImages", systemPackage]),
    builder("BuildCache", ["BuildContext", "Dockerfile", "Digests", "ImageReference"]),

    builder(
      "BuildExecutor",
      [
        "BuildCache", "BuildContext", "BuildIgnore", "Dockerfile", "Images", "ImageStore", "ImageFormat",
        "ImageReference", "Layer", "Digests", "StackFiles",
        "Vocabulary", "Runtime", "Isolation", "Kernel", "CLinux", "CImages", systemPackage,
      ]),
    room("Rules", ["Intent", "Vocabulary", "DNS", "Addresses", "Netfilter"]),
    room("Resolve", ["StackFiles", "ImageReference", "Intent", "Vocabulary", "Addresses", "Isolation", "Kernel"]),
    // Other engines' files for a stack. Pure: no sockets, no files, no programs.
    .target(
      name: "Export", dependencies: ["Rules", "Intent", "StackFiles", "Vocabulary", "Addresses", "Isolation"],
      swiftSettings: strict),
    room("Planning", ["Rules", "Intent", "Vocabulary", "Addresses", "Isolation", "Netfilter"]),
    room(
      "Host",
      [
        "Resolve", "Rules", "Intent", "StackFiles", "Vocabulary", "DNS", "JSON", "Loop", "Addresses", "Netfilter",
        "Netlink", "Isolation", "Runtime", "Kernel", "CLinux", systemPackage,
      ]),
    room("Names", ["Host", "Intent", "Vocabulary", "DNS", "Loop", "Addresses", "Kernel", "CLinux", systemPackage]),
    room(
      "Script",
      [
        "Planning", "Names", "Host", "Rules", "Intent", "Vocabulary", "Addresses", "Netfilter", "Netlink", "Isolation",
        "Runtime", "Kernel",
      ]),
    room(
      "Verify",
      ["Host", "Rules", "Intent", "Vocabulary", "Loop", "Addresses", "Netfilter", "Netlink", "Kernel", systemPackage]),
    room(
      "Build",
      [
        "Names", "Host", "Planning", "Rules", "Intent", "Vocabulary", "Loop", "Addresses", "Netfilter", "Netlink",
        "Isolation", "Runtime", "Kernel", "CLinux", systemPackage,
      ]),
    room(
      "Supervision",
      [
        "Build", "Names", "Host", "Planning", "Rules", "Intent", "Control", "Logs", "Vocabulary", "JSON", "Loop",
        "Addresses",
        "Netfilter", "Netlink", "Isolation", "Runtime", "Kernel", "CLinux", systemPackage,
      ]),
    room(
      "Orchestrator", folder: "Commands",
      [
        "Supervision", "Verify", "Build", "Script", "Names", "Host", "Planning", "Resolve", "Rules", "Intent", "Export",
        "StackFiles", "Control", "Logs", "Vocabulary", "JSON", "Loop", "Addresses", "Netfilter", "Netlink", "Isolation",
        "Runtime", "Kernel", "CLinux", systemPackage, "Images", "Registry", "ImageStore", "ImageFormat",
        "ImageReference", "Layer", "Dockerfile", "BuildIgnore", "BuildContext",
        "BuildExecutor",
      ]),
    .executableTarget(
      name: "stack",
      dependencies: [
        "Orchestrator", "Supervision", "Verify", "Script", "Host", "Planning", "Intent", "Export", "StackFiles",
        "Vocabulary", "Images", "Addresses", "BuildExecutor",
        "ImageFormat", "ImageReference", "ImageStore", "Kernel", "CConformances", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
      linkerSettings: [
        // All shorten the start of every command: no relocations to process, no symbols of its own to look through, and
        // fewer libraries to load (tools/build puts archives there; without them the shared libraries are linked as usual).
        .unsafeFlags(
          ["-Xclang-linker", "-no-pie", "-L.build/archives", "-Xlinker", "--no-export-dynamic"],
          .when(configuration: .release)),
        // CConformances answers these instead of the runtime.
        .unsafeFlags(
          [
            "-Xlinker", "--wrap=swift_conformsToProtocol", "-Xlinker", "--wrap=swift_conformsToProtocolCommon",
            "-Xlinker", "--wrap=swift_conformsToProtocolWithExecutionContext",
          ], .when(configuration: .release)),
      ]),

    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Kernel", systemPackage], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(
      name: "NetlinkTests",
      dependencies: ["Netlink", "Addresses", "Netfilter", "Kernel", "CNetfilter", "Fuzzing", systemPackage],
      swiftSettings: strict),
    .testTarget(
      name: "RuntimeTests", dependencies: ["CLinux", "Runtime", "Isolation", "Kernel", "TestSupport", systemPackage],
      swiftSettings: strict),
    .testTarget(
      name: "OrchestratorTests",
      dependencies: [
        "Orchestrator", "Supervision", "Verify", "Build", "Script", "Names", "Host", "Planning", "Resolve", "Rules",
        "Intent", "Export",
        "StackFiles", "Control", "Logs", "Vocabulary", "DNS", "JSON", "Loop", "Addresses", "Netfilter", "Netlink",
        "Isolation", "Runtime", "Kernel", "CLinux", "Fuzzing", "TestSupport", systemPackage,
      ],
      exclude: ["Golden", "Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "ImagesTests",
      dependencies: [
        "CImages", "Images", "ImageStore", "Layer", "Registry", "ImageFormat", "ImageReference", "Digests", "Kernel",
        "Fuzzing", "TestSupport", systemPackage,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "BuilderTests",
      dependencies: [
        "BuildExecutor", "Dockerfile", "BuildIgnore", "BuildContext", "BuildCache", "StackFiles", "Vocabulary",
        "ImageFormat", "Digests",
        "ImageReference", "Kernel", "Fuzzing", "TestSupport", systemPackage,
      ],
      exclude: ["Scripts"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "stack", "CConformances", "Fuzzing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["Fuzzing"], exclude: ["Scripts"], swiftSettings: strict),
  ],
  cLanguageStandard: .gnu17
)
