import Isolation

/// A function of bash that commands of a plan use: what iproute2 and util-linux have no single command for.
struct ScriptFunction {
  let name: String
  /// The function's purpose, as a comment.
  let purpose: String
  let text: String
  /// True if commands that bash runs in other namespaces call it too.
  var isExported = false

  private func isUsed(by lines: [String]) -> Bool {
    lines.contains { line in line.split { !($0.isLetter || $0 == "_") }.contains(Substring(name)) }
  }

  private var lines: [String] {
    ["", "# \(purpose)", text] + (isExported ? ["export -f \(name)"] : [])
  }

  /// Those that are used by commands, or by one another, in an order in which each stands before it is used.
  static func all(usedBy commands: [String]) -> [String] {
    var text = commands
    var used: [ScriptFunction] = []
    for function in table.reversed() where function.isUsed(by: text) {
      used.insert(function, at: 0)
      text.append(function.text)
    }
    return used.flatMap(\.lines)
  }

  /// Variables that the commands expect.
  static func variables(usedBy commands: [String]) -> [String] {
    let text = commands.joined(separator: "\n")
    var lines: [String] = []
    if text.contains("$cgroups") {
      lines.append(
        "export cgroups=$(findmnt -rno TARGET -t cgroup2 | head -n 1)    # the tree of version 2: cgroups(7)")
    }
    if text.contains("pids[") { lines.append("declare -A pids    # of the services that were started, by their names") }
    return lines
  }

  private static let table: [ScriptFunction] = [
    ScriptFunction(
      name: "set_sysctl", purpose: "Writes settings as PATH=VALUE below /proc/sys, but those that this kernel has not.",
      text: """
        set_sysctl() {
          local setting
          for setting in "$@"; do
            [[ ! -e /proc/sys/${setting%%=*} ]] || echo "${setting#*=}" >"/proc/sys/${setting%%=*}"
          done
        }
        """, isExported: true),
    ScriptFunction(
      name: "add_owned_netns",
      purpose: """
        Makes a user namespace, whose ids from 0 on are the host's from FIRST on, and a network namespace that it owns.
        # unshare(1) of util-linux 2.38 maps such a range by newuidmap(1) and /etc/subuid alone, and pins no user namespace.
        """,
      text: """
        add_owned_netns() { # NAME FILE-OF-USER-NAMESPACE FIRST
          touch "/run/netns/$1" "$2"
          coproc { exec unshare --user --net sh -c 'echo; read -r _'; }
          local pid=$COPROC_PID
          read -r _ <&"${COPROC[0]}"
          mount --bind "/proc/$pid/ns/user" "$2"
          mount --bind "/proc/$pid/ns/net" "/run/netns/$1"
          echo "0 $3 65536" >"/proc/$pid/uid_map"
          echo "0 $3 65536" >"/proc/$pid/gid_map"
          echo >&"${COPROC[1]}"
          wait "$pid"
        }
        """),
    ScriptFunction(
      name: "carry_file", purpose: "Takes a file of the host's over into a root, or a link that leads into /usr.",
      text: """
        carry_file() { # PATH ROOT
          local target
          target=$(readlink "/$1" || true)
          if [[ -f /$1 && ( -z $target || $target == @(/usr/*|../usr/*|/etc/alternatives/*) || $target != */* ) ]]; then
            cp -P "/$1" "$2/$1"
          fi
        }
        """),
    ScriptFunction(
      name: "add_control_group", purpose: "Makes the control group of a service, also where version 1 counts for it.",
      text: """
        add_control_group() { # STACK/SERVICE
          local tree
          for tree in "$cgroups" $(findmnt -rno TARGET -t cgroup -O memory) $(findmnt -rno TARGET -t cgroup -O pids); do
            mkdir -p "$tree/stack/$1"
          done
        }
        """),
    ScriptFunction(
      name: "limit",
      purpose:
        "Limits what a service may use, in the tree that has the controller: that of version 2, or one of version 1.",
      text: """
        limit() { # STACK/SERVICE CONTROLLER FILE VALUE CONTROLLER-OF-VERSION-1 FILE VALUE
          local folder tree part
          if grep -qw "$2" "$cgroups/cgroup.controllers"; then
            for folder in "$cgroups" "$cgroups/stack" "$cgroups/stack/${1%/*}"; do
              echo "+$2" >"$folder/cgroup.subtree_control" || return
            done
            echo "$4" >"$cgroups/stack/$1/$3"
          else
            tree=$(findmnt -rno TARGET -t cgroup -O "$5" | head -n 1)
            [[ -n $tree ]] || return
            folder=$tree
            for part in stack "${1%/*}" "${1#*/}"; do
              mkdir -p "$folder/$part" || return
              # A group of version 1 has no processors at first: cpuset(7).
              if [[ -e $folder/cpuset.cpus && -z $(cat "$folder/$part/cpuset.cpus") ]]; then
                cat "$folder/cpuset.cpus" >"$folder/$part/cpuset.cpus"
                cat "$folder/cpuset.mems" >"$folder/$part/cpuset.mems"
              fi
              folder+=/$part
            done
            echo "$7" >"$folder/$6"
          fi
        }
        """),
    ScriptFunction(
      name: "first_process",
      purpose: "The process of a service that is process 1 inside, or its oldest; nothing where none runs.",
      text: """
        first_process() { # STACK/SERVICE
          local pid first=
          for pid in $(sort -n "$cgroups/stack/$1/cgroup.procs" 2>/dev/null); do
            if grep -Eqs '^NSpid:.*[[:space:]]1$' "/proc/$pid/status"; then
              first=$pid
              break
            fi
            first=${first:-$pid}
          done
          echo "$first"
        }
        """),
    ScriptFunction(
      name: "await_end", purpose: "Waits until a service has ended, and ends what is left of it after so many seconds.",
      text: """
        await_end() { # STACK/SERVICE SECONDS
          local tenths
          [[ -d $cgroups/stack/$1 ]] || return 0
          for ((tenths = 0; tenths < $2 * 10; tenths++)); do
            [[ -n $(cat "$cgroups/stack/$1/cgroup.procs") ]] || return 0
            sleep 0.1
          done
          echo 1 >"$cgroups/stack/$1/cgroup.kill"
        }
        """),
    ScriptFunction(
      name: "remove_control_groups",
      purpose: "Ends what still runs of a stack, and removes its groups from every tree.",
      text: """
        remove_control_groups() { # STACK
          local tree tenths
          [[ ! -d $cgroups/stack/$1 ]] || echo 1 >"$cgroups/stack/$1/cgroup.kill"
          for tree in $(findmnt -rno TARGET -t cgroup2,cgroup); do
            for ((tenths = 0; tenths < 20; tenths++)); do
              [[ -d $tree/stack/$1 ]] || break
              find "$tree/stack/$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
            done
            [[ ! -d $tree/stack ]] || rmdir --ignore-fail-on-non-empty "$tree/stack"
          done
        }
        """),
    ScriptFunction(
      name: "give_empty",
      purpose:
        "Gives an empty volume to a service's root: without idmapped mounts that is an id of outside, also on disk.",
      text: """
        give_empty() { # FOLDER ID
          [[ -n $(ls -A "$1") ]] || chown "$2:$2" "$1"
        }
        """),
    ScriptFunction(
      name: "start",
      purpose: "Starts a command in the background, in the control group of a service, with its output in a file.",
      text: """
        start() { # STACK/SERVICE OUTPUT COMMAND…
          local group=$1 output=$2
          shift 2
          # Its folder is root's alone; the service may open the file again, as /dev/stdout.
          : >>"$output"
          chmod 0666 "$output"
          (
            for tree in $(findmnt -rno TARGET -t cgroup2,cgroup); do
              [[ ! -d $tree/stack/$group ]] || echo 0 >"$tree/stack/$group/cgroup.procs"
            done
            exec "$@"
          ) <&0 >>"$output" 2>&1 &
          pids[${group#*/}]=$!
        }
        """),
    ScriptFunction(
      name: "await_port", purpose: "Waits until something listens on a port of a service, a minute at most.",
      text: """
        await_port() { # SERVICE NAMESPACE tcp|udp PORT
          local tenths
          for ((tenths = 0; tenths < 600; tenths++)); do
            [[ -z $(nsenter --net="$2" ss -Hln "--$3" "sport = :$4") ]] || return 0
            kill -0 "${pids[$1]}" 2>/dev/null || break
            sleep 0.1
          done
          echo "$1 does not listen on $3 $4: see the end of its output below /var/lib/stack" >&2
          return 1
        }
        """),
    ScriptFunction(
      name: "place", purpose: "Where a path of a service is, below its root: no link on the way leads out of that.",
      text: """
        place() { # PATH
          local rest=$1 path= part link count=0
          while [[ -n $rest ]]; do
            part=${rest%%/*}
            if [[ $rest == */* ]]; then rest=${rest#*/}; else rest=; fi
            case $part in
              '' | .) ;;
              ..) path=${path%/*} ;;
              *)
                if [[ -L $root$path/$part ]]; then
                  ((++count <= 40)) || return 1
                  link=$(readlink "$root$path/$part")
                  [[ $link != /* ]] || path=
                  rest=$link/$rest
                else
                  path+=/$part
                fi
                ;;
            esac
          done
          echo "$root$path"
        }
        """, isExported: true),
    ScriptFunction(
      name: "share_of_memory",
      purpose: "Options of a tmpfs that takes a quarter of what a service may use: of all memory where the limit is 0.",
      text: """
        share_of_memory() { # LIMIT
          local bytes=$(($(getconf _PHYS_PAGES) * $(getconf PAGESIZE)))
          (($1 == 0 || $1 > bytes)) || bytes=$1
          bytes=$((bytes / 4 / 4096 * 4096))
          ((bytes >= 1048576)) || bytes=1048576
          echo "size=$bytes,nr_inodes=$((bytes / 1024))"
        }
        """, isExported: true),
    ScriptFunction(
      name: "mount_inside", purpose: "Mounts a new file system at a place below the root, which is made when missing.",
      text: """
        mount_inside() { # TYPE SOURCE PATH OPTIONS
          local place
          place=$(place "$3")
          mkdir -p "$place"
          mount -t "$1" -o "$4" "$2" "$place"
        }
        """, isExported: true),
    ScriptFunction(
      name: "bind_inside", purpose: "The same for a folder or a file that is there already.",
      text: """
        bind_inside() { # SOURCE PATH OPTIONS
          local place
          place=$(place "$2")
          if [[ -d $1 ]]; then
            mkdir -p "$place"
          elif [[ ! -e $place ]]; then
            mkdir -p "${place%/*}"
            : >"$place"
          fi
          mount --rbind "$1" "$place"
          [[ $3 == rw ]] || mount -o "remount,bind,$3" "$place"
        }
        """, isExported: true),
    ScriptFunction(
      name: "read_only", purpose: "Makes what is at a path below the root read-only.",
      text: """
        read_only() { # PATH
          [[ -e $root$1 ]] || return 0
          mount --bind "$root$1" "$root$1"
          mount -o remount,bind,ro,nosuid,nodev,noexec "$root$1"
        }
        """, isExported: true),
    ScriptFunction(
      name: "writable", purpose: "Lets a service write to what is at a path below its read-only folders of the kernel.",
      text: """
        writable() { # PATH
          mount --bind "$root$1" "$root$1"
          mount -o remount,bind,rw,nosuid,nodev,noexec "$root$1"
        }
        """, isExported: true),
    ScriptFunction(
      name: "hide", purpose: "Covers what is at a path below the root.",
      text: """
        hide() { # PATH
          if [[ -d $root$1 ]]; then
            mount -t tmpfs -o ro,nosuid,noexec,mode=0555,size=64k tmpfs "$root$1"
          elif [[ -e $root$1 ]]; then
            mount --bind /dev/null "$root$1"
            mount -o remount,bind,ro,nosuid,noexec "$root$1"
          fi
        }
        """, isExported: true),
    ScriptFunction(
      name: "mount_control_groups", purpose: "Mounts the trees in which a service has a group, with that at the top.",
      text: """
        mount_control_groups() { # STACK/SERVICE OPTIONS
          local type tree options
          if [[ $cgroups == /sys/fs/cgroup ]]; then
            mount_inside cgroup2 cgroup2 /sys/fs/cgroup "$2"
            return
          fi
          mount_inside tmpfs tmpfs /sys/fs/cgroup nosuid,nodev,noexec,mode=0755,size=64k
          while read -r type tree options; do
            [[ -d $tree/stack/$1 ]] || continue
            if [[ $type == cgroup ]]; then options=$2,${options#rw,}; else options=$2; fi
            mount_inside "$type" "$type" "/sys/fs/cgroup/${tree##*/}" "$options"
          done < <(findmnt -rno FSTYPE,TARGET,FS-OPTIONS -t cgroup2,cgroup)
          mount -o "remount,bind,$2" "$root/sys/fs/cgroup"
        }
        """, isExported: true),
    ScriptFunction(
      name: "mask_kernel_paths", purpose: "Covers what of /proc and /sys reaches the kernel as a whole.",
      text: """
        mask_kernel_paths() {
          local name
          for name in \(KernelPaths.readOnlyInProc.joined(separator: " ")); do read_only /proc/$name; done
          for name in \(KernelPaths.maskedInProc.joined(separator: " ")); do hide /proc/$name; done
          for name in \(KernelPaths.maskedInSys.joined(separator: " ")); do hide /sys/$name; done
        }
        """, isExported: true),
    ScriptFunction(
      name: "add_device_nodes", purpose: "Fills the /dev of a service.",
      text: """
        add_device_nodes() {
        \(KernelPaths.devices.map { "  mknod -m 666 \"$root/dev/\($0.name)\" c \($0.major) \($0.minor)\n" }.joined())\
        \(KernelPaths.deviceLinks.map { "  ln -s \($0.target) \"$root/dev/\($0.name)\"\n" }.joined())\
          mkdir "$root"/dev/{pts,shm,mqueue}
        }
        """, isExported: true),
    ScriptFunction(
      name: "numbers_of",
      purpose: "The numbers and the home of a user, and of a group after a colon, by the files below the root.",
      text: """
        numbers_of() { # USER[:GROUP]
          local name=${1%%:*} group= passwd uid gid home
          passwd=$(place /etc/passwd)
          [[ $1 != *:* ]] || group=${1#*:}
          IFS=: read -r _ _ uid gid _ home _ < <(grep -sE "^($name:|[^:]*:[^:]*:$name:)" "$passwd" | head -n 1) || true
          if [[ -n $group ]]; then
            gid=$(grep -s "^$group:" "$(place /etc/group)" | cut -d : -f 3 | head -n 1)
            gid=${gid:-$group}
          fi
          echo "${uid:-$name} ${gid:-0} ${home:-/}"
        }
        """, isExported: true),
  ]
}
