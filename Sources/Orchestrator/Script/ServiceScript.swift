import Host
import Intent
import Isolation
import Runtime
import Vocabulary

/// The start of a service as commands: what ``StackBuilder/start(_:)`` does by system calls, as far as the tools go.
///
/// Outside, its folders and its control group are made. Then bash itself enters the namespaces, mounts what the service is to
/// see, moves that to `/` and becomes the command.
struct ServiceScript {
  private let service: DesiredService
  private let stack: StackFolder
  private let paths: ServiceFolder

  init(_ service: DesiredService, _ stack: StackFolder) {
    (self.service, self.stack) = (service, stack)
    paths = stack.service(service.name)
  }

  var lines: [String] {
    outside
      + [
        Shell.feed(
          "start \(group) \(Shell.quoted("\(stack.logs)/\(service.name).out")) \(entry.joined(separator: " ")) bash -es",
          (inside + [execution]).map { "\($0)\n" }.joined())
      ]
  }

  private var group: String { "\(stack.name)/\(service.name)" }
  private var process: DesiredProcess { service.process }
  private var settings: DesiredSettings { service.settings }
  private var confinement: Confinement { process.security.confinement }
  private var isMasked: Bool { confinement.masksKernelPaths }
  private var hasHostRoot: Bool { service.root == .host }

  /// The path of its user namespace; nil for the host's.
  private var users: String? {
    guard service.firstIdentity != nil else { return nil }
    guard case .service(let owner) = service.namespace else { return stack.pinnedUsers(of: service.name) }
    return stack.pinnedUsers(of: owner)
  }

  // MARK: What is left out

  /// Parts of a start that `stack` does and no tool of Debian 12 can do.
  var notes: [String] {
    var notes: [String] = []
    if process.security.isFiltered {
      notes.append("setpriv(1) loads seccomp filters from util-linux 2.40 on: here there are none")
    }
    if service.firstIdentity != nil {
      notes.append(
        "mount(8) makes idmapped mounts from util-linux 2.39 on: here files below \(hasHostRoot ? "/usr" : "/") and of volumes belong to nobody"
      )
    }
    if !process.security.isPrivileged {
      notes.append("no tool loads filters for devices: only its /dev keeps it from them")
    }
    if process.usesInit { notes.append("in place of stack-init, process 1 is the command itself") }
    if process.hasTerminal { notes.append("the terminal is the supervisor's: here it has none") }
    if process.keepsStdinOpen { notes.append("its input is the supervisor's: here it reads /dev/null") }
    if case .service = settings.ipc {
      notes.append("the /dev/shm of another service cannot be mounted here: it has its own")
    }
    if !hasHostRoot {
      if service.mounts.contains(where: { $0.isVolume && !$0.staysEmpty }) {
        notes.append("a volume that is empty takes over the root's folder under it: here it stays empty")
      }
      if !capabilities.isSuperset(of: Self.entrance) {
        notes.append("to change to the root folder takes the capabilities sys_chroot, setuid and setgid: it keeps them")
      }
      if !settings.groups.isEmpty || !ambient.isEmpty {
        notes.append(
          "supplementary groups and ambient capabilities take setpriv(1) inside, which this root may not have")
      }
    }
    return notes
  }

  // MARK: Outside

  private var outside: [String] {
    var lines = ["mkdir -p \(paths.path)", "echo \(Shell.quoted(service.hostname)) >\(paths.hostname)"]
    if isInMemory {
      lines += [
        "mkdir -p \(paths.layer)",
        "mountpoint -q \(paths.layer) || mount -t tmpfs -o nosuid,nodev,mode=0755,\(writableSize) tmpfs \(paths.layer)",
      ]
    }
    lines.append("mkdir -p \(([paths.root] + (isLayered ? [paths.upper, paths.work] : [])).joined(separator: " "))")
    if let first = service.firstIdentity, isLayered {
      // Files of the layer itself need no mount that gives them other owners.
      let copy = hasHostRoot ? "cp -a \(stack.hostRoot)/. \(paths.upper) && " : ""
      lines.append("[[ $(ls -A \(paths.upper)) ]] || { \(copy)chown -hR \(first):\(first) \(paths.upper); }")
    }
    for (number, mount) in service.mounts.enumerated() {
      switch mount.source {
      case .folder(let path, createIfMissing: true):
        let word = Shell.quoted(path)
        lines.append("[[ -e \(word) ]] || mkdir -p \(word)")
      case .anonymous where mount.isLent:
        lines.append("mkdir -p \(lentVolume(service.name, mount))")
        if let first = service.firstIdentity, !mount.isReadOnly {
          lines.append("give_empty \(lentVolume(service.name, mount)) \(first)")
        }
      case .anonymous:
        lines.append("mkdir -p \(paths.anonymousVolume(number))")
        if let first = service.firstIdentity {
          lines.append("chown \(first):\(first) \(paths.anonymousVolume(number))")
        }
      case .volume(let name):
        guard let first = service.firstIdentity, !mount.isReadOnly else { continue }
        lines.append("give_empty \(Shell.quoted(mount.volumeFolder ?? stack.volume(name))) \(first)")
      case .contents(let text, let mode, let user, let group):
        let (file, first) = (paths.madeFile(number), service.firstIdentity ?? 0)
        lines.append("printf %s \(Shell.quoted(text)) >\(file)")
        lines.append("chown \(first + user):\(first + group) \(file) && chmod 0\(String(mode, radix: 8)) \(file)")
      case .anonymousOf(let lender): lines.append("mkdir -p \(lentVolume(lender, mount))")
      case .folder, .tmpfs: continue
      }
    }
    lines.append("add_control_group \(group)")
    return lines + limits
  }

  private var isLayered: Bool {
    if case .direct = service.root { false } else { true }
  }

  /// Layers of images are on disk, unless they have a size. Here they are in the memory of all layers.
  private var isInMemory: Bool { isLayered && (service.image == nil || settings.writableSize != nil) }

  /// As options of a tmpfs: what ``StackBuilder/writableSize(of:)`` says.
  private var writableSize: String {
    settings.writableSize.map(TemporaryFileSystem.sizeOptions) ?? "$(share_of_memory \(service.limits.memory ?? 0))"
  }

  private var limits: [String] {
    // A device's number is looked up when the script runs.
    let settings = try? service.limits.settings { path in "$(lsblk -dnro MAJ:MIN \(Shell.quoted(path)))" }
    return (settings ?? []).map { setting in
      // The kernel's own default file is the last of those that say it.
      let unified = setting.unified.last ?? setting.legacy
      let command =
        "limit \(group) \(setting.controller.rawValue) \(unified.file) \"\(unified.value)\""
        + " \(setting.controller.legacyName) \(setting.legacy.file) \"\(setting.legacy.value)\""
      return setting.isRequired ? command : "\(command) || echo '\(service.name) has no \(unified.file)' >&2"
    }
  }

  // MARK: The namespaces

  private var entry: [String] {
    var words: [String] = []
    switch service.namespace {
    case .own: words += ["nsenter", "--net=\(paths.namespace)"]
    case .service(let owner): words += ["nsenter", "--net=\(stack.service(owner).namespace)"]
    case .host: break
    }
    for (kind, namespace) in [("ipc", settings.ipc), ("pid", settings.pid)] {
      guard case .service(let other) = namespace else { continue }
      words += ["nsenter", "--target", "\"$(first_process \(stack.name)/\(other))\"", "--\(kind)"]
    }
    words += ["unshare", "--mount", "--propagation", "private", "--cgroup"]
    if !settings.usesHostNames { words.append("--uts") }
    if settings.ipc == .own { words.append("--ipc") }
    if settings.pid == .own { words.append("--pid") }
    if let offsets = settings.timeOffsets {
      words += ["--time", "--monotonic", "\(offsets.monotonic)", "--boottime", "\(offsets.boot)"]
    }
    if settings.pid == .own || settings.timeOffsets != nil { words += ["--fork", "--kill-child"] }
    return words
  }

  // MARK: Inside

  private var inside: [String] {
    var lines = ["root=\(paths.root)"]
    if let adjustment = settings.oomScoreAdjustment { lines.append("echo \(adjustment) >/proc/self/oom_score_adj") }
    lines += rootCommands + kernelFileSystems + devices
    if !replacesDefault("/tmp") {
      lines.append("mount_inside tmpfs tmpfs /tmp nosuid,nodev,mode=1777,\(writableSize)\(ownership)")
    }
    if hasHostRoot {
      lines.append(
        "for name in \(HostRoot.programFolders.joined(separator: " ")); do"
          + " [[ -L /$name || ! -d /$name ]] || bind_inside /$name /$name ro,nodev; done")
      lines.append("[[ ! -d /etc/alternatives ]] || bind_inside /etc/alternatives /etc/alternatives ro,nodev")
    }
    lines += [
      "bind_inside \(stack.names)/\(service.hostsFile) /etc/hosts ro,nosuid,nodev",
      "bind_inside \(resolver) /etc/resolv.conf ro,nosuid,nodev",
      "bind_inside \(paths.hostname) /etc/hostname ro,nosuid,nodev",
    ]
    for (number, mount) in service.mounts.enumerated() { lines.append(mountCommand(mount, number)) }
    if !settings.usesHostNames {
      lines.append("echo \(Shell.quoted(service.hostname)) >/proc/sys/kernel/hostname")
      if let name = service.domainname { lines.append("echo \(Shell.quoted(name)) >/proc/sys/kernel/domainname") }
    }
    if let folder = process.workingDirectory { lines.append("mkdir -p \"$(place \(Shell.quoted(folder)))\"") }
    if process.isRootReadOnly { lines.append("mount -o remount,bind,ro \"$root\"") }
    return lines
  }

  private var rootCommands: [String] {
    func layer(_ folder: String) -> [String] {
      let options = Self.options(paths)
      let isPlain = folder.utf8.allSatisfy { !"\\:,".utf8.contains($0) }
      // mount(8) and overlayfs take these characters for their own.
      return (isPlain ? [] : ["ln -sfn \(Shell.quoted(folder)) \(paths.layer)/lower"]) + [
        "mount -t overlay -o \(Shell.quoted("lowerdir=\(isPlain ? folder : "\(paths.layer)/lower"),\(options)")) overlay \"$root\""
      ]
    }
    switch service.root {
    case .host: return layer(stack.hostRoot)
    case .overlay(let folder): return layer(folder)
    case .direct(let folder): return ["mount --rbind \(Shell.quoted(folder)) \"$root\""]
    case .image(let image):
      let layers = image.layers.map { "\($0)/fs" }.joined(separator: ":")
      // Relative names: what mount(2) takes is a page.
      return [
        "(cd \(stack.imageLayers) && mount -t overlay -o lowerdir=\(layers),\(Self.options(paths)) overlay \"$root\")"
      ]
    }
  }

  private static func options(_ paths: ServiceFolder) -> String {
    "upperdir=\(paths.upper),workdir=\(paths.work),index=off"
  }

  /// As mount options: what the kernel makes there belongs to the service's root.
  private var ownership: String { service.firstIdentity.map { ",uid=\($0),gid=\($0)" } ?? "" }

  private var kernelFileSystems: [String] {
    let safe = "nosuid,nodev,noexec"
    var lines = ["mount_inside proc proc /proc \(safe)"]
    if !service.kernelParameters.isEmpty {
      let words = service.kernelParameters.sorted { $0.key < $1.key }.map { Shell.quoted("\($0.key)=\($0.value)") }
      lines.append("set_sysctl \(words.joined(separator: " "))")
    }
    lines.append("mount_inside sysfs sysfs /sys \(safe)\(isMasked ? ",ro" : "")")
    if isMasked {
      lines.append("mask_kernel_paths")
      if service.namespace != .host, capabilities.contains(.netAdmin) {
        lines.append("writable /proc/\(KernelPaths.networkParameters)")
      }
    }
    lines.append("mount_control_groups \(group) \(safe)\(isMasked ? ",ro" : "")")
    return lines
  }

  private var devices: [String] {
    let terminals = (service.firstIdentity ?? 0) + 5
    var lines = ["mount_inside tmpfs tmpfs /dev nosuid,mode=0755,size=64k\(ownership)"]
    lines.append("add_device_nodes")
    lines += settings.devices.map { device in
      let place = "/dev/\(device.name)"
      let folder = place.lastIndex(of: "/").map { String(place[..<$0]) } ?? place
      return
        "mkdir -p \"$root\"\(Shell.quoted(folder)) && cp -a \(Shell.quoted(device.path)) \"$root\"\(Shell.quoted(place))"
    }
    if let first = service.firstIdentity { lines.append("chown -hR \(first):\(first) $root/dev") }
    lines.append(
      "mount_inside devpts devpts /dev/pts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=\(terminals),"
        + "max=\(KernelPaths.terminals)")
    if let first = service.firstIdentity { lines.append("chown \(first):\(first) $root/dev/pts/ptmx") }
    if settings.ipc == .host {
      lines.append("bind_inside /dev/shm /dev/shm rw")
    } else if !replacesDefault("/dev/shm") {
      let size = settings.sharedMemorySize ?? 64 << 20
      lines.append("mount_inside tmpfs tmpfs /dev/shm nosuid,nodev,noexec,mode=1777,size=\(size)\(ownership)")
    }
    lines.append("mount_inside mqueue mqueue /dev/mqueue nosuid,nodev,noexec")
    return lines
  }

  private func replacesDefault(_ path: String) -> Bool {
    service.mounts.contains { $0.target == path || $0.target == "\(path)/" }
  }

  /// On the host's own network also a resolver on the host's loopback is within reach.
  private var resolver: String {
    service.namespace == .host ? "/etc/resolv.conf" : "\(stack.names)/\(service.resolverFile)"
  }

  private func lentVolume(_ lender: String, _ mount: DesiredMount) -> String {
    Shell.quoted(stack.service(lender).keptVolume(mount.target))
  }

  private func mountCommand(_ mount: DesiredMount, _ number: Int) -> String {
    let (target, mode) = (Shell.quoted(mount.target), mount.isReadOnly ? "ro" : "rw")
    // Whoever may make device nodes may also use them.
    let flags = capabilities.contains(.mknod) ? mode : "\(mode),nodev"
    switch mount.source {
    case .folder(let path, _): return "bind_inside \(Shell.quoted(path)) \(target) \(mode)"
    case .volume(let name):
      let path = (mount.volumeFolder ?? stack.volume(name)) + (mount.subpath.map { "/\($0)" } ?? "")
      return "bind_inside \(Shell.quoted(path)) \(target) \(flags)"
    case .anonymousOf(let lender): return "bind_inside \(lentVolume(lender, mount)) \(target) \(flags)"
    case .contents: return "bind_inside \(paths.madeFile(number)) \(target) ro,nosuid,nodev"
    case .anonymous where mount.isLent: return "bind_inside \(lentVolume(service.name, mount)) \(target) \(flags)"
    case .anonymous: return "bind_inside \(paths.anonymousVolume(number)) \(target) \(flags)"
    case .tmpfs(let size, let permissions):
      let first = service.firstIdentity ?? 0
      let details = mount.tmpfs
      let given = [("uid", details.user), ("gid", details.group)].compactMap { key, id in
        (id ?? (service.firstIdentity == nil ? nil : 0)).map { "\(key)=\(first + $0)" }
      }
      let options =
        [
          "nosuid,nodev" + (details.isExecutable ? "" : ",noexec"), mode,
          "mode=0\(String(permissions ?? 0o1777, radix: 8))",
        ]
        + (details.options.contains { $0.hasPrefix("size=") }
          ? [] : [size.map(TemporaryFileSystem.sizeOptions) ?? writableSize]) + given + details.options
      return "mount_inside tmpfs tmpfs \(target) \(options.joined(separator: ","))"
    }
  }

  // MARK: The command

  private var capabilities: CapabilitySet { confinement.capabilities }
  private var ambient: CapabilitySet { isRoot ? [] : confinement.ambient.intersection(capabilities) }
  private var isRoot: Bool { ["0", "root", ""].contains(process.user.map { String($0.prefix { $0 != ":" }) } ?? "0") }
  /// Options of nsenter(1) that enter the command's namespaces and become its user.
  private static let entrance = CapabilitySet([.sysChroot, .setuid, .setgid])

  /// The command that takes the place of bash: the last line.
  private var execution: String {
    var words = ["exec", "env", "-i"] + variables
    let limits = settings.limits.map { "--\($0.kind.rawValue)=\(Self.amount($0.soft)):\(Self.amount($0.hard))" }
    if !limits.isEmpty { words += ["/usr/bin/prlimit"] + limits + ["--"] }
    if let users {
      // In a mount namespace that the user namespace owns, no mount can be taken from what it covers.
      words += ["/usr/bin/nsenter", "--user=\(users)", "/usr/bin/unshare", "--mount", "--propagation", "unchanged"]
    }
    if !hasHostRoot {
      words += ["/usr/bin/setpriv"] + bounding(capabilities.union(Self.entrance)) + privileges + ["--"]
    }
    words += ["/usr/bin/nsenter", "--root=.", process.workingDirectory == nil ? "--wd=." : "--wd=\"$folder\""]
    if hasHostRoot {
      words += ["/usr/bin/setpriv"] + identity + bounding(capabilities) + inheritance + privileges
    } else {
      words += ["--setgid=\"$gid\"", "--setuid=\"$uid\""]
    }
    words += ["--", Shell.words(process.arguments), "<>/dev/null"]
    var lines = lookUp
    if let folder = process.workingDirectory {
      lines += ["folder=$(place \(Shell.quoted(folder)))", "folder=.${folder#\"$root\"}"]
    }
    return (lines + ["cd \"$root\"", "mount --move \"$root\" /", words.joined(separator: " ")]).joined(separator: "\n")
  }

  private var variables: [String] {
    var variables = service.environment(terminal: service.terminalKind)
    if variables["PATH"] == nil { variables["PATH"] = Self.searchPath }
    return variables.map { Shell.quoted("\($0.key)=\($0.value)") }.sorted()
      + (variables["HOME"] == nil ? ["HOME=\"$home\""] : [])
  }

  private static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  private static func amount(_ limit: UInt64) -> String { limit == .max ? "unlimited" : "\(limit)" }

  /// For setpriv(1), inside the root, whose group file it reads.
  private var identity: [String] {
    let hasOwnGroups = process.user.map { !$0.isEmpty && !$0.contains(":") && UInt32($0) == nil } ?? false
    let groups = settings.groups.map(Shell.quoted).joined(separator: ",")
    return [
      "--reuid=\"$uid\"", "--regid=\"$gid\"",
      !groups.isEmpty ? "--groups=\(groups)" : hasOwnGroups ? "--init-groups" : "--clear-groups",
    ]
  }

  private var inheritance: [String] {
    let names = ambient.names.map { "+\($0)" }.joined(separator: ",")
    return ambient.isEmpty ? ["--inh-caps=-all"] : ["--inh-caps=-all,\(names)", "--ambient-caps=-all,\(names)"]
  }

  private func bounding(_ set: CapabilitySet) -> [String] {
    if set == .all { return [] }
    return ["--bounding-set=\((["-all"] + set.names.map { "+\($0)" }).joined(separator: ","))"]
  }

  private var privileges: [String] { confinement.noNewPrivileges ? ["--no-new-privs"] : [] }

  /// The user's numbers, from the files of the root itself: a name may be another's on the host.
  private var lookUp: [String] {
    guard let user = process.user, !user.isEmpty else { return ["uid=0 gid=0 home=/root"] }
    return ["read -r uid gid home < <(numbers_of \(Shell.quoted(user)))"]
  }
}

extension CapabilitySet {
  /// As setpriv(1) writes them: `net_raw`.
  fileprivate var names: [String] { Capability.allCases.filter(contains).map { $0.name.lowercased() } }
}
