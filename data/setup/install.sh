# Sourced by ./run and ./check: installs what packages.tsv lists and this machine lacks.
# Never asks a question; prints what it installs.

# The first package manager found here, or nothing.
setup_manager() {
  local tool
  for tool in apt-get dnf pacman zypper brew; do
    if command -v "$tool" >/dev/null; then
      echo "${tool%-get}"
      return
    fi
  done
}

# setup_wanted MANAGER run|check: package names, one a line.
setup_wanted() {
  awk -F '\t' -v manager="$1" -v purpose="$2" '
    /^#/ { next }
    $1 == "for" { for (i = 3; i <= NF; i++) if ($i == manager) column = i; next }
    ($1 == "run" || purpose == "check") && $column != "-" {
      n = split($column, names, " ")
      for (i = 1; i <= n; i++) print names[i]
    }' "$(dirname "${BASH_SOURCE[0]}")/packages.tsv"
}

# setup_has MANAGER PACKAGE
setup_has() {
  case $1 in
    apt) [ "$(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null)" = installed ] ;;
    dnf | zypper) rpm -q --whatprovides "$2" >/dev/null 2>&1 ;;
    pacman) pacman -Qi "$2" >/dev/null 2>&1 ;;
    brew) brew list "$2" >/dev/null 2>&1 ;;
  esac
}

# Runs a command as root: directly, or through sudo, which may ask for a password only where
# there is a person at a terminal.
setup_as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# setup_add MANAGER PACKAGE...
setup_add() {
  local manager=$1
  shift
  case $manager in
    apt)
      setup_as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null &&
        setup_as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
          -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" </dev/null
      ;;
    dnf) setup_as_root dnf -q -y install "$@" ;;
    pacman) setup_as_root pacman -S --needed --noconfirm "$@" ;;
    zypper) setup_as_root zypper -q --non-interactive install --no-recommends "$@" ;;
    brew) brew install "$@" ;;
  esac
}

# setup_install run|check
setup_install() {
  local manager package
  local -a missing=()

  manager=$(setup_manager)
  if [ -z "$manager" ]; then
    echo "No package manager known here; data/setup/packages.tsv lists what is needed." >&2
    return 0
  fi
  while read -r package; do
    setup_has "$manager" "$package" || missing+=("$package")
  done < <(setup_wanted "$manager" "$1")
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing with $manager: ${missing[*]}" >&2
  if ! setup_add "$manager" "${missing[@]}" >&2; then
    echo "Some packages could not be installed; going on with what is there." >&2
  fi
}
