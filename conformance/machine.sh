#!/usr/bin/env bash
# Runs the program of the machines (machine/) on whole systems: Ubuntu 22.04 and 24.04, and Debian 12, each with its own
# systemd, sshd, sudo, PAM, apt, nftables, Samba and NFS server, started by systemd-nspawn.
#
# usage: conformance/machine.sh PATH-OF-SCRIPT [RELEASE...]
#
# PATH-OF-SCRIPT holds the emitted script without its pool: cargo run --example script -p dsvm-machine.
# A root folder for each release is made once with debootstrap, below $DSVMC_CONFORMANCE_ENV/roots (about 700 MB each), from
# debootstrap's default mirrors. A release that cannot be had is skipped, and says so; with DSVMC_CONFORMANCE_REQUIRED=1
# that is a failure. Needs root. What a system has on Azure and lacks here is stood in for by conformance/machine/*.py:
# the metadata service and the vault, and mount.cifs and mount.aznfs, since few kernels of test machines have both clients.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
script=$(realpath "$1")
shift
releases=${*:-jammy noble bookworm}
roots=${DSVMC_CONFORMANCE_ENV:-${TMPDIR:-/tmp}/dsvmc-conformance}/roots
# https://ubuntu.com/tutorials/how-to-verify-ubuntu: the key that signs the archive, and the older one.
ubuntu_keys="790BC7277767219C42C86F933B4FE6ACC0B21F32 843938DF228D22F7B3742BC0D94AA3F0EFE21092 F6ECB3762474EDA9D21B7022871920D1991BC93C"
packages=systemd,systemd-sysv,dbus,python3,passwd,sudo,openssh-server,nftables,gpg,ca-certificates,cron,iproute2,openssl
packages=$packages,libpam-runtime,libpam-modules-bin,samba,smbclient,nfs-ganesha,nfs-ganesha-vfs,libnfs-utils,util-linux
failed=0 skipped=0

skip() { echo "SKIPPED $1: $2"; skipped=1; }

[ "$(id -u)" = 0 ] || { skip "the machine program on whole systems" "it needs root"; [ -z "${DSVMC_CONFORMANCE_REQUIRED:-}" ]; exit; }
for command in debootstrap systemd-nspawn nsenter gpg python3; do
  command -v $command >/dev/null || { skip "the machine program on whole systems" "$command is not installed"; [ -z "${DSVMC_CONFORMANCE_REQUIRED:-}" ]; exit; }
done

keyring() { # keyring FOLDER: the keys of Ubuntu's archive, from this computer or from the archive and then checked
  local known=/usr/share/keyrings/ubuntu-archive-keyring.gpg mirror package
  [ -e $known ] && { echo $known; return 0; }
  mirror=$(sed -n 's/^[[:space:]]*default_mirror[[:space:]]*//p' /usr/share/debootstrap/scripts/gutsy | grep '\barchive\b' | head -1)
  package=$(python3 - "$mirror" <<'PYTHON'
import lzma, re, sys, urllib.request
data = urllib.request.urlopen(sys.argv[1] + "/dists/jammy/main/binary-amd64/Packages.xz", timeout=60).read()
print(re.search(rb"^Filename: (.*/ubuntu-keyring_[^\n]*\.deb)$", lzma.decompress(data), re.M).group(1).decode())
PYTHON
  ) || return 1
  python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' "$mirror/$package" "$1/keyring.deb" || return 1
  dpkg-deb -x "$1/keyring.deb" "$1/keyring" || return 1
  known=$1/keyring$known
  local found
  found=$(gpg --show-keys --with-colons "$known" 2>/dev/null | sed -n 's/^fpr:*\([0-9A-F]*\):$/\1/p' | sort | tr '\n' ' ')
  [ "$found" = "$(tr ' ' '\n' <<<"$ubuntu_keys" | sort | tr '\n' ' ')" ] || return 1
  echo "$known"
}

root() { # root RELEASE: makes the root folder, once
  [ -e "$roots/$1/.complete" ] && return 0
  mkdir -p "$roots"
  rm -rf "${roots:?}/$1"
  local options=() recipe=$1
  case $1 in
    jammy | noble)
      options=(--components=main,universe "--keyring=$(keyring "$roots")") || return 1
      recipe=jammy # the same for every later release
      ;;
  esac
  echo "making a root folder of $1 (some minutes)"
  debootstrap --variant=minbase "${options[@]}" --include=$packages "$1" "$roots/$1" "" /usr/share/debootstrap/scripts/$recipe >"$roots/$1.log" 2>&1 &&
    touch "$roots/$1/.complete"
}

for release in $releases; do
  if root "$release"; then
    python3 "$here/machine/system.py" "$roots/$release" "$script" || failed=1
  else
    skip "the machine program on $release" "its packages cannot be had: $(tail -1 "$roots/$release.log" 2>/dev/null)"
  fi
done
[ $failed -eq 0 ] && { [ $skipped -eq 0 ] || [ -z "${DSVMC_CONFORMANCE_REQUIRED:-}" ]; }
