# shellcheck shell=bash
# What tools/toolchain decides by, for it and its tests: source it after tools/lib.sh.

by_hand="install Swift 6.2 or newer by hand: https://swift.org/install"

# swift.org's name for a distribution, from os-release(5). A derivative counts as what it is made from.
platform_of() { # platform_of OS-RELEASE-FILE
  (
    unset ID VERSION_ID PRETTY_NAME UBUNTU_CODENAME DEBIAN_CODENAME
    # shellcheck disable=SC1090
    source "$1"
    case "${UBUNTU_CODENAME:-}" in
      jammy) ID=ubuntu VERSION_ID=22.04 ;;
      noble) ID=ubuntu VERSION_ID=24.04 ;;
    esac
    case "${DEBIAN_CODENAME:-}" in
      bookworm) ID=debian VERSION_ID=12 ;;
      trixie) ID=debian VERSION_ID=13 ;;
    esac
    case "${ID:-} ${VERSION_ID:-}" in
      'debian 12' | 'debian 13') echo debian12 ;; # There is none for 13. That for 12 runs there.
      'ubuntu 22.04' | 'ubuntu 24.04') echo "ubuntu$VERSION_ID" ;;
      'fedora 39' | 'fedora 41') echo "fedora$VERSION_ID" ;;
      'amzn 2') echo amazonlinux2 ;;
      'amzn 2023') echo amazonlinux2023 ;;
      'rhel 9'* | 'centos 9'* | 'rocky 9'* | 'almalinux 9'*) echo ubi9 ;;
      *)
        die "swift.org has no toolchain for ${PRETTY_NAME:-this distribution}, but for Debian 12, Ubuntu 22.04 and 24.04," \
          "Fedora 39 and 41, Amazon Linux 2 and 2023, and RHEL 9: $by_hand"
        ;;
    esac
  )
}

# gpgv takes keys in binary only: what stands between the armor's empty line and its checksum (RFC 9580, section 6.2).
binary_key() { sed -n '/^\r\{0,1\}$/,/^[=-]/p' "$1" | grep -v '^[=-]' | base64 --decode --ignore-garbage; }

# True when SIGNATURE is one of FILE by KEY. That the key has expired does not matter: its owner extends it by a newer
# self-signature, which the copy in this repository cannot have.
is_signed() { # is_signed FILE SIGNATURE KEY
  local ring status
  ring=$(mktemp)
  binary_key "$3" >"$ring"
  status=$(gpgv --keyring "$ring" --status-fd 1 "$2" "$1" 2>/dev/null) || true
  rm -f "$ring"
  grep -q '^\[GNUPG:\] VALIDSIG ' <<<"$status" && grep -qE '^\[GNUPG:\] (GOODSIG|EXPKEYSIG) ' <<<"$status"
}
