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
    .systemLibrary(name: "CNetfilter", pkgConfig: "libnftnl", providers: [.apt(["libmnl-dev", "libnftnl-dev"])]),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

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
        // Both shorten the start of every command: no relocations to process, and no libstdc++ to load
        // (tools/build puts archives there; without them the shared libraries are linked as usual).
        .unsafeFlags(["-Xclang-linker", "-no-pie", "-L.build/archives"], .when(configuration: .release))
      ]),

    .target(name: "Fuzzing", path: "Tests/Fuzzing", swiftSettings: strict),
    .testTarget(
      name: "NetlinkTests",
      dependencies: [
        "Netlink", "Kernel", "CNetfilter", "Fuzzing", .product(name: "SystemPackage", package: "swift-system"),
      ],
      swiftSettings: strict),
    .testTarget(name: "RuntimeTests", dependencies: ["Runtime"], swiftSettings: strict),
    .testTarget(
      name: "OrchestratorTests", dependencies: ["Orchestrator", "Fuzzing"], exclude: ["Golden"],
      swiftSettings: strict),
    .testTarget(name: "EndToEndTests", dependencies: ["Fuzzing"], swiftSettings: strict),
  ],
  cLanguageStandard: .gnu17
)
