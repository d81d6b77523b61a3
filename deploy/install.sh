#!/bin/sh
# Installs the restic-manager agent on Linux, or upgrades it. POSIX sh; bash, dash and busybox run it. Root, or a user who may
# use sudo: then it starts itself again as root.
#
#   curl -fsSL https://SERVER/install/install.sh | RM_SERVER=https://SERVER RM_TOKEN=... sh    join with a token
#   curl -fsSL https://SERVER/install/install.sh | RM_SERVER=https://SERVER RM_TOKEN= sh       the same, the token is asked for
#   curl -fsSL https://SERVER/install/install.sh | RM_SERVER=https://SERVER sh                 show a fingerprint, wait for approval
#   curl -fsSL https://SERVER/install/install.sh | sh -s -- --uninstall                        remove agent, service, keys and state
#
# RM_SERVER    the server's address; for root an upgrade takes it from agent.yaml
# RM_TOKEN     the one-time token (RM_TOKEN_FILE: a file that holds it); it is handed on by the environment or standard input,
#              never as an argument, which every user of a machine can read
# RM_NO_WAIT   set: do not wait for the approval
# Run again it is an upgrade: what this machine is to the server stays, unless there is a new token.
set -eu

program=/usr/local/bin/restic-manager-agent
config=${RM_CONFIG_DIR:-/etc/restic-manager}
work=
new=
terminal=

say() { printf '%s\n' "$*"; }
warn() { printf 'Warning: %s\n' "$*" >&2; }
fail() {
  printf 'restic-manager: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
has_terminal() { (: </dev/tty) 2>/dev/null; }
clean() {
  [ -z "$terminal" ] || stty "$terminal" </dev/tty
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
      say "Installs, upgrades or removes the restic-manager agent, as root or by sudo."
      exit 0
      ;;
    *) fail "There is no option $1. Known: --uninstall, --help." ;;
  esac
  [ "$(uname -s)" = Linux ] || fail "This installer is for Linux; on Windows use install.ps1."
  trap clean EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ "$(id -u)" -ne 0 ]; then
    become_root
  elif [ "$action" = uninstall ]; then
    uninstall_agent
  else
    install_agent
  fi
}

become_root() {
  has sudo || fail "This needs root, and there is no sudo here. Become root (su -) and run the same command again."
  # What comes by standard input is this script, so sudo asks on the terminal.
  sudo -n sh -c : 2>/dev/null || has_terminal ||
    fail "sudo wants a password, and there is no terminal to ask for it. Run this as root, or by ssh -t."
  if [ "$action" = uninstall ]; then
    [ -x "$program" ] || fail "$program is not there: nothing to remove."
    # shellcheck disable=SC2016 # for the other shell
    sudo sh -c '"$1" uninstall && rm -f "$1"' sh "$program"
    removed
    return
  fi
  [ -n "${RM_SERVER:-}" ] || fail "Set RM_SERVER to the server's address, such as https://backup.example.org."
  server=$(server_address)
  take_token
  work=$(mktemp -d)
  # A pipe cannot be read twice.
  download "$server/install/install.sh" "$work/install.sh" || fail "$server did not hand out the installer."
  grep -q '^main "\$@"$' "$work/install.sh" || fail "What came from $server is not the installer."
  # sudo takes the environment away, and its arguments can be read by everybody.
  (
    umask 077
    { settings && cat "$work/install.sh"; } >"$work/as-root"
  )
  say "Going on as root, by sudo"
  # shellcheck disable=SC2024 # the file is this user's own
  sudo sh -s <"$work/as-root"
}

# Assignments of what this was called with, for a shell that knows nothing of it.
settings() {
  RM_SERVER=$server
  RM_TOKEN=$token
  for name in RM_SERVER RM_TOKEN RM_TOKEN_FILE RM_NO_WAIT RM_CONFIG_DIR RM_STATE_DIR RM_RESTIC RM_LOG_LEVEL RM_LOG_FORMAT \
    http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    eval "value=\${$name:-}"
    [ -z "$value" ] || printf "%s='%s'\nexport %s\n" "$name" "$(printf '%s' "$value" | sed "s/'/'\\\\''/g")" "$name"
  done
}

# Into a variable that nothing inherits: only the agent receives it.
take_token() {
  token=${RM_TOKEN:-}
  file=${RM_TOKEN_FILE:-}
  if [ -z "$token" ] && [ -n "$file" ]; then
    if [ -r "$file" ]; then
      IFS= read -r token <"$file" || [ -n "$token" ] || fail "RM_TOKEN_FILE: $file is empty."
    elif [ "$(id -u)" -ne 0 ]; then
      case $file in /*) ;; *) RM_TOKEN_FILE=$PWD/$file ;; esac
      return 0
    else
      fail "RM_TOKEN_FILE: $file cannot be read."
    fi
  elif [ -z "$token" ] && [ -n "${RM_TOKEN+set}" ]; then
    ask_token
  fi
  case $token in *[!A-Za-z0-9_-]*) fail "RM_TOKEN must be the token that the server showed: letters, digits, - and _." ;; esac
  unset RM_TOKEN RM_TOKEN_FILE
}

ask_token() {
  has_terminal || fail "RM_TOKEN is empty, and there is no terminal to ask for it."
  terminal=$(stty -g </dev/tty)
  printf 'Token (it is not shown): ' >/dev/tty
  stty -echo </dev/tty
  IFS= read -r token </dev/tty || true
  stty "$terminal" </dev/tty
  terminal=
  printf '\n' >/dev/tty
  [ -n "$token" ] || fail "No token was given."
}

install_agent() {
  arch=$(processor)
  server=$(server_address)
  take_token
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
  joined_before=$(joined_by)
  say ""
  code=0
  RM_SERVER=$server RM_TOKEN=$token "$program" install || code=$?
  # 3: all but the token, which was refused; what the agent said stands above.
  case $code in 0 | 3) ;; *) exit "$code" ;; esac
  if [ -d /run/systemd/system ]; then
    # A service that runs already goes over to the new program.
    [ -z "$before" ] || say "Restarting the agent: a job that runs now is interrupted; one that a schedule began is run again."
    "$program" stop >/dev/null || fail "The agent that runs could not be stopped, so the new program does not run yet."
    "$program" start
  fi
  show_other_backups
  wait_for_approval
  [ "$code" -eq 0 ] || fail "The token was refused, so this machine stays what it was. Why stands above."
}

uninstall_agent() {
  [ -x "$program" ] || fail "$program is not there: nothing to remove."
  "$program" uninstall
  rm -f "$program"
  removed
}

removed() { say "The agent is removed. Snapshots stay in their repository; remove the host in the web UI as well."; }

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
    if [ -z "$before" ] || [ "$(joined_by)" != "$joined_before" ]; then
      say "This machine is enrolled. It stands in the list of hosts at $server."
    else
      say "This machine was enrolled before and stays what it was. If it is not in the list of hosts at $server any more, make a new command there and run that."
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

# Changes with each token by which the machine joins.
joined_by() { sed -n 's/^token_used: *//p' "$config/agent.yaml" 2>/dev/null || true; }
enrolled() { grep -q '^bearer:' "$config/agent.yaml" 2>/dev/null; }

main "$@"
