// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
]

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

    .target(
      name: "Kernel",
      dependencies: ["CLinux", .product(name: "SystemPackage", package: "swift-system")],
      swiftSettings: strict),
    .target(name: "Netlink", dependencies: ["Kernel", "CNetfilter"], swiftSettings: strict),
    .target(name: "Runtime", dependencies: ["Kernel", "CLinux", "CSeccomp"], swiftSettings: strict),
    .target(
      name: "Orchestrator", dependencies: ["Kernel", "Netlink", "Runtime", "CYaml"], swiftSettings: strict),
    .executableTarget(
      name: "stack",
      dependencies: [
        "Orchestrator",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
      linkerSettings: [
        // All shorten the start of every command: no relocations to process, no symbols of its own to look through, and
        // fewer libraries to load (tools/build puts archives there; without them the shared libraries are linked as usual).
        .unsafeFlags(
          ["-Xclang-linker", "-no-pie", "-L.build/archives", "-Xlinker", "--no-export-dynamic"],
          .when(configuration: .release))
      ]),

    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
    .testTarget(
      name: "NetlinkTests",
      dependencies: [
        "Netlink", "Kernel", "CNetfilter", "Fuzzing", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(name: "RuntimeTests", dependencies: ["CLinux", "Runtime"], swiftSettings: strict),
    .testTarget(
      name: "OrchestratorTests", dependencies: ["Orchestrator", "Fuzzing"], exclude: ["Golden"],
      swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["Fuzzing"], swiftSettings: strict),
  ],
  cLanguageStandard: .gnu17
)
