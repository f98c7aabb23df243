import Glibc
import Kernel
import SystemPackage

/// A root made of the host's own programs: its /usr, read-only, under a skeleton with a private /etc.
///
/// The skeleton holds what programs need to find (users' names, services, certificates of public authorities, the
/// dynamic linker's cache) and nothing of the host's homes, secrets or state.
public struct HostRoot: Sendable {
  /// The skeleton: the lower folder of every container's overlay.
  public let lower: String
  /// The mounts that go first in ``ContainerSpec/mounts``: the host's /usr and /etc/alternatives, and its /bin, /lib …
  /// if these are folders of their own.
  public let mounts: [ContainerMount]

  /// Builds the skeleton in `folder`, which is made if missing; building again over a former one renews it.
  ///
  /// - Parameter host: the root folder whose /usr and /etc are used.
  public static func build(in folder: String, host: String = "/") throws(KernelError) -> HostRoot {
    let source = host.hasSuffix("/") ? String(host.dropLast()) : host
    if mkdir(folder, 0o755) != 0, errno != EEXIST {
      throw KernelError("make", folder, errno: .last)
    }
    let skeleton = try Skeleton(path: folder, source: source)
    for (path, mode) in folders { try skeleton.folder(path, mode: mode) }
    for (path, target) in links { try skeleton.link(path, to: target) }

    var mounts: [ContainerMount] = []
    for name in programFolders {
      if let target = try skeleton.linkTarget(ofSource: name) {
        try skeleton.link(name, to: target)
      } else if skeleton.sourceIsFolder(name) {
        try skeleton.folder(name, mode: 0o755)
        var mount = ContainerMount.bind("\(source)/\(name)", at: "/\(name)", readOnly: true, recursive: true)
        mount.noDev = true
        mount.identityMapping = .whenPossible
        mounts.append(mount)
      }
    }

    let users = Accounts.users(from: try skeleton.sourceText("etc/passwd"))
    try skeleton.file("etc/passwd", users)
    try skeleton.file("etc/shadow", Accounts.shadow(of: users))
    try skeleton.file("etc/group", Accounts.groups(from: try skeleton.sourceText("etc/group"), among: users))
    for (path, text) in files { try skeleton.file(path, text) }
    for path in carriedFiles { try skeleton.carry(path) }
    for path in carriedFolders { try skeleton.carryFolder(path) }
    // Hundreds of links, and nothing but links: one mount costs less than to make them anew.
    if skeleton.sourceIsFolder("etc/alternatives") {
      var mount = ContainerMount.bind("\(source)/etc/alternatives", at: "/etc/alternatives", readOnly: true)
      mount.noDev = true
      mount.identityMapping = .whenPossible
      mounts.append(mount)
    }
    return HostRoot(lower: folder, mounts: mounts)
  }

  /// The host's folders that are mounted, or are links into these.
  package static let programFolders = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"]

  package static let folders: [(path: String, mode: UInt32)] = [
    ("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("tmp", 0o1777), ("run", 0o755), ("run/lock", 0o1777),
    ("root", 0o700), ("home", 0o755), ("srv", 0o755), ("mnt", 0o755), ("media", 0o755), ("opt", 0o755),
    ("var", 0o755), ("var/cache", 0o755), ("var/lib", 0o755), ("var/log", 0o755), ("var/spool", 0o755),
    ("var/tmp", 0o1777), ("var/www", 0o755), ("etc", 0o755), ("etc/ssl", 0o755), ("etc/ssl/certs", 0o755),
    ("etc/alternatives", 0o755), ("etc/ld.so.conf.d", 0o755), ("etc/pam.d", 0o755), ("etc/security", 0o755),
  ]

  package static let links: [(path: String, target: String)] = [
    ("var/run", "/run"), ("var/lock", "/run/lock"), ("etc/mtab", "/proc/self/mounts"),
  ]

  package static let files: [(path: String, text: String)] = [
    ("etc/hosts", "127.0.0.1\tlocalhost\n::1\tlocalhost\n"),
    ("etc/hostname", ""),
    ("etc/resolv.conf", ""),
    (
      "etc/nsswitch.conf",
      "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
    ),
    // A name with several addresses, of both families or of several replicas, is all of them (host.conf(5)).
    ("etc/host.conf", "multi on\n"),
    (
      "etc/profile",
      """
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
      export PATH
      if [ -n "${BASH-}" ]; then . /etc/bash.bashrc; fi

      """
    ),
    // The prompt says at which service it is: root@r1:/#
    ("etc/bash.bashrc", "if [ -n \"${PS1-}\" ]; then PS1='\\u@\\h:\\w\\$ '; fi\n"),
    ("etc/shells", "/bin/sh\n/bin/bash\n"),
  ]

  /// Copied as they are; a link only if it leads into /usr. Of certificates only the bundle is taken: libraries read
  /// it. The folder's hundreds of links would take longer than all the rest, and a file there could be a key.
  package static let carriedFiles = [
    "etc/services", "etc/protocols", "etc/os-release", "etc/debian_version", "etc/ld.so.cache", "etc/ld.so.conf",
    "etc/localtime", "etc/timezone", "etc/mime.types", "etc/ssl/openssl.cnf", "etc/ssl/certs/ca-certificates.crt",
    "etc/login.defs", "etc/security/limits.conf", "etc/security/pam_env.conf",
  ]

  /// PAM decides by its folder, and by /etc/shadow, whether su(1) and vtysh(1) let somebody in.
  package static let carriedFolders = ["etc/ld.so.conf.d", "etc/pam.d"]
}

/// The host's system accounts, less all but names, numbers and memberships (passwd(5), group(5), shadow(5)).
enum Accounts {
  static func users(from text: String) -> String {
    lines(of: text, fields: 7) { fields, id in
      let isRoot = id == 0
      return "\(fields[0]):x:\(id):\(fields[3])::\(isRoot ? "/root" : "/nonexistent"):"
        + (isRoot ? "/bin/sh" : "/usr/sbin/nologin")
    }
  }

  /// Members stay where they are `users` themselves: daemons open each other's sockets by such groups.
  static func groups(from text: String, among users: String) -> String {
    let names = Set(names(of: users))
    return lines(of: text, fields: 4) { fields, id in
      let members = fields[3].split(separator: ",").filter { names.contains($0) }
      return "\(fields[0]):x:\(id):\(members.joined(separator: ","))"
    }
  }

  /// No password opens any of these accounts, and none of them expires.
  static func shadow(of users: String) -> String {
    names(of: users).map { "\($0):*:::::::\n" }.joined()
  }

  private static func names(of users: String) -> [Substring] {
    users.split(separator: "\n").map { $0.prefix { $0 != ":" } }
  }

  private static func lines(of text: String, fields count: Int, _ line: ([Substring], UInt32) -> String) -> String {
    text.split(separator: "\n").compactMap { entry in
      let fields = entry.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == count, let id = UInt32(fields[2]), id < 1000 || id == 65534,
        count == 4 || UInt32(fields[3]) != nil
      else { return nil }
      return line(fields, id) + "\n"
    }.joined()
  }
}
