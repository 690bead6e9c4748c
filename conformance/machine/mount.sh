#!/bin/sh
# Stands in for mount.cifs and mount.aznfs: mount -t TYPE calls it as `mount.TYPE SOURCE FOLDER -o OPTIONS`.
set -e
source=/srv/shares/${1##*/}
case $4 in *nosuid*nodev*) ;; *) echo "neither nosuid nor nodev: $4" >&2; exit 32 ;; esac
[ ! -e /srv/shares/away ] || { echo "no route to host" >&2; exit 32; }
mkdir -p "$source"
case $0 in *cifs) chgrp 1900 "$source"; chmod 2770 "$source" ;; esac
mount --bind "$source" "$2"
mount -o remount,bind,nosuid,nodev "$2"
