#!/bin/sh
# Installs the restic-manager agent on Linux, or upgrades it. POSIX sh; bash, dash and busybox run it.
#
#   curl -fsSL https://SERVER/install/install.sh | sudo RM_SERVER=https://SERVER RM_TOKEN=... sh    join with a token
#   curl -fsSL https://SERVER/install/install.sh | sudo RM_SERVER=https://SERVER sh                 show a fingerprint, wait for approval
#   curl -fsSL https://SERVER/install/install.sh | sudo sh -s -- --uninstall                        remove agent, service, keys and state
#
# RM_SERVER    the server's address; an upgrade takes it from agent.yaml
# RM_TOKEN     the one-time token (RM_TOKEN_FILE: a file that holds it); it is handed on by the environment, never as an argument
# RM_NO_WAIT   set: do not wait for the approval
# Run again it is an upgrade: what this machine is to the server stays.
set -eu

program=/usr/local/bin/restic-manager-agent
config=${RM_CONFIG_DIR:-/etc/restic-manager}
work=
new=

say() { printf '%s\n' "$*"; }
warn() { printf 'Warning: %s\n' "$*" >&2; }
fail() {
  printf 'restic-manager: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
clean() {
  [ -z "$work" ] || rm -rf "$work"
  [ -z "$new" ] || rm -f "$new"
}

main() {
  action=install
  case ${1:-} in
    '') ;;
    --uninstall) action=uninstall ;;
    -h | --help)
      say "Usage: [RM_SERVER=URL] [RM_TOKEN=...] install.sh [--uninstall]"
      say "Installs, upgrades or removes the restic-manager agent. Needs root."
      exit 0
      ;;
    *) fail "There is no option $1. Known: --uninstall, --help." ;;
  esac
  [ "$(id -u)" -eq 0 ] || fail "This needs root. Put sudo before the command, or run it as root."
  [ "$(uname -s)" = Linux ] || fail "This installer is for Linux; on Windows use install.ps1."
  trap clean EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ "$action" = uninstall ]; then uninstall_agent; else install_agent; fi
}

install_agent() {
  arch=$(processor)
  server=$(server_address)
  case $server in
    https://* | http://127.0.0.1 | http://127.0.0.1[:/]* | http://localhost | http://localhost[:/]* | http://\[::1\]*) ;;
    *) warn "$server is not encrypted: everything, repository passwords too, can be read on the way." ;;
  esac
  work=$(mktemp -d)
  say "Downloading the agent for linux $arch from $server"
  query="os=linux&arch=$arch"
  download "$server/agent/binary.sha256?$query" "$work/sha256" || fail "$server did not hand out the agent's checksum. Does it have a build for linux $arch?"
  download "$server/agent/binary?$query" "$work/agent" || fail "The agent could not be downloaded from $server."
  compare_checksum
  ensure_restic
  put_program
  before=
  ! enrolled || before=yes
  say ""
  RM_SERVER=$server "$program" install
  if [ -d /run/systemd/system ]; then
    # A service that runs already goes over to the new program.
    [ -z "$before" ] || say "Restarting the agent: a job that runs now is interrupted; one that a schedule began is run again."
    "$program" stop >/dev/null || fail "The agent that runs could not be stopped, so the new program does not run yet."
    "$program" start
  fi
  show_other_backups
  wait_for_approval
}

uninstall_agent() {
  [ -x "$program" ] || fail "$program is not there: nothing to remove."
  "$program" uninstall
  rm -f "$program"
  say "The agent is removed. Snapshots stay in their repository; remove the host in the web UI as well."
}

processor() {
  case $(uname -m) in
    x86_64 | amd64) say x64 ;;
    aarch64 | arm64) say arm64 ;;
    *) fail "There is no agent for the processor $(uname -m); there are x86_64 and aarch64." ;;
  esac
}

# From RM_SERVER, or where this machine belongs already.
server_address() {
  address=${RM_SERVER:-}
  if [ -z "$address" ] && [ -r "$config/agent.yaml" ]; then
    address=$(sed -n 's/^server: *//p' "$config/agent.yaml" | tr -d "\"'")
  fi
  [ -n "$address" ] || fail "Set RM_SERVER to the server's address, such as https://backup.example.org."
  address=${address%/}
  case $address in
    http://*[!A-Za-z0-9.:/\[\]_-]* | https://*[!A-Za-z0-9.:/\[\]_-]*) fail "RM_SERVER must be an http or https address without user, path or query." ;;
    http://?* | https://?*) ;;
    *) fail "RM_SERVER must be an http or https address such as https://backup.example.org." ;;
  esac
  case ${address#*://} in */*) fail "RM_SERVER must be an address without a path." ;; esac
  say "$address"
}

# URL, file
download() {
  if has curl; then
    curl -fsSL --proto '=http,https' --retry 3 -o "$2" "$1"
  elif has wget; then
    wget -q -O "$2" "$1"
  else
    fail "This needs curl or wget; install one of them and run it again."
  fi
}

compare_checksum() {
  has sha256sum || fail "This needs sha256sum (package coreutils) to check what was downloaded."
  wanted=$(tr -d ' \t\r\n' <"$work/sha256")
  actual=$(sha256sum "$work/agent" | cut -d' ' -f1)
  if [ "${#wanted}" -ne 64 ] || [ "$wanted" != "$actual" ]; then
    fail "The download does not have the server's checksum. Nothing was installed. Is something between here and the server changing it?"
  fi
}

# A rename, so that a running agent keeps its file and a broken copy never has the name.
put_program() {
  mkdir -p "$(dirname "$program")"
  # A name of its own: of two that install at once neither writes into the other's file.
  new=$(mktemp "$program.XXXXXX")
  cp "$work/agent" "$new"
  chmod 0755 "$new"
  chown 0:0 "$new"
  "$new" version >/dev/null 2>&1 || fail "The agent does not run here. It needs a 64-bit Linux with glibc 2.31 or newer."
  mv -f "$new" "$program"
  new=
  say "$("$program" version) is in $program"
}

ensure_restic() {
  if has restic; then
    say "restic is here: $(restic version 2>/dev/null | head -n 1)"
    return
  fi
  say "restic is not installed; installing it with the system's packages"
  if has apt-get; then
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y restic; } >"$work/packages" 2>&1 </dev/null || true
  elif has dnf; then
    dnf -q -y install restic >"$work/packages" 2>&1 </dev/null || true
  elif has yum; then
    { yum -q -y install epel-release; yum -q -y install restic; } >"$work/packages" 2>&1 </dev/null || true
  elif has zypper; then
    zypper -q -n install restic >"$work/packages" 2>&1 </dev/null || true
  elif has pacman; then
    pacman -S --noconfirm --needed restic >"$work/packages" 2>&1 </dev/null || true
  elif has apk; then
    apk add -q restic >"$work/packages" 2>&1 </dev/null || true
  fi
  if has restic; then
    say "restic is here: $(restic version 2>/dev/null | head -n 1)"
    return
  fi
  [ ! -s "$work/packages" ] || tail -n 5 "$work/packages" >&2
  warn "restic could not be installed. Put restic 0.14 or newer on the PATH (https://restic.net); the agent finds it by itself. Until then the host shows \"restic not found\"."
}

# Two programs that back up one machine do no harm, but nobody wants both. They are only shown.
show_other_backups() {
  found=
  if [ -d /run/systemd/system ]; then
    for timer in $(systemctl list-unit-files --type=timer --no-legend 2>/dev/null | cut -d' ' -f1); do
      if systemctl cat "$timer" "${timer%.timer}.service" 2>/dev/null | grep -v '^#' | grep -q restic; then
        other "systemd timer $timer" "systemctl disable --now $timer"
      fi
    done
  fi
  for file in /etc/crontab /etc/cron.d/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*; do
    if [ -f "$file" ] && mentions_restic "$file"; then other "$file" "\${EDITOR:-vi} $file"; fi
  done
  for file in /var/spool/cron/crontabs/* /var/spool/cron/*; do
    if [ -f "$file" ] && mentions_restic "$file"; then
      other "the crontab of $(basename "$file")" "crontab -u $(basename "$file") -e"
    fi
  done
}

mentions_restic() { grep -v '^[[:space:]]*#' "$1" 2>/dev/null | grep -q restic; }

# What, and the command that would turn it off
other() {
  if [ -z "$found" ]; then
    say ""
    say "restic is started by other things on this machine. They were left as they are; to turn them off:"
    found=yes
  fi
  printf '  %-40s %s\n' "$1" "$2"
}

wait_for_approval() {
  [ -d /run/systemd/system ] || return 0
  ! enrolled || {
    say ""
    stays_up || fail "The agent has ended again. Why: journalctl -u restic-manager-agent -n 20"
    if [ -z "$before" ]; then
      say "This machine is enrolled. It stands in the list of hosts at $server."
    else
      say "This machine was enrolled before and stays what it was. If it is not in the list of hosts at $server any more, run this with --uninstall and join anew."
      [ -z "${RM_TOKEN:-}${RM_TOKEN_FILE:-}" ] || warn "The token was not used."
    fi
    return 0
  }
  digits=$("$program" status | sed -n 's/^fingerprint *SHA256://p')
  say ""
  say "========================================================================"
  say "  Accept this machine at $server when it shows the same fingerprint:"
  say ""
  say "  SHA256:$digits"
  say ""
  printf '%s' "$digits" | sed 's/..../& /g' | fold -w 40 | sed 's/^/      /'
  say ""
  say "========================================================================"
  [ -z "${RM_NO_WAIT:-}" ] || return 0
  say "Waiting for approval. Ctrl-C ends only this; the agent goes on asking."
  until enrolled; do
    case $("$program" status | sed -n 's/^approval *//p') in
      rejected*) fail "An admin rejected this machine. To ask again: $program stop; $program start" ;;
    esac
    sleep 2
  done
  say "Accepted. This machine stands in the list of hosts at $server."
}

# An agent that cannot work, or that the server refuses for good, ends within a moment.
stays_up() {
  for _ in 1 2 3 4; do
    sleep 1
    case $("$program" status | sed -n 's/^service *//p') in
      stopped* | failing*) return 1 ;;
    esac
  done
}

enrolled() { grep -q '^bearer:' "$config/agent.yaml" 2>/dev/null; }

main "$@"
