# SPDX-License-Identifier: Apache-2.0
# What the commands of tools/ share: sourced, with ROOT set to the top of the tree.

# The distribution's own tools, whatever else a user's PATH puts before them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Clients of the loopback interface only: a proxy of the environment is not for them.
unset http_proxy HTTP_PROXY

# Packages that bring a service which must not run just because a test needs its program.
readonly SERVICES=(haproxy nginx prometheus prometheus-node-exporter xinetd)

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# packages_of SECTION...: the names in tools/lib/packages, one `a|b` a line.
packages_of() {
    local section
    for section; do
        awk -v section="[$section]" '
            /^\[/ { inside = ($0 == section); next }
            inside && NF && !/^#/ { gsub(/ /, ""); print }' "$ROOT/tools/lib/packages"
    done | sort -u
}

is_installed() {
    # Asked once: dpkg reads its whole list for any answer.
    : "${INSTALLED=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n')}"
    [[ $'\n'$INSTALLED$'\n' == *$'\n'"installed $1"$'\n'* ]]
}

# available a|b: the first alternative that apt knows; fails if it knows none.
available() {
    local name
    for name in ${1//|/ }; do
        if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    return 1
}

# is_satisfied a|b: the first alternative is installed, or a later one where apt does not know the first
# (it may know none at all, before its first update).
is_satisfied() {
    local name
    for name in ${1//|/ }; do
        if is_installed "$name"; then return 0; fi
        if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then return 1; fi
    done
    return 1
}

# missing_packages SECTION...: the lines that are not satisfied.
missing_packages() {
    local line
    packages_of "$@" | while read -r line; do
        is_satisfied "$line" || echo "$line"
    done
}

# Installing must not start services: Debian asks /usr/sbin/policy-rc.d, and 101 says no. One that
# was there before is put back; our own, left by an install that was killed, is known by its mark.
readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_MARK='# of wcs-node-agent, while it installs packages'
forbid_service_starts() {
    if [[ -e $POLICY ]] && ! grep -qF "$POLICY_MARK" "$POLICY"; then
        mv "$POLICY" "$POLICY.before-wcs-node-agent"
    fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
    chmod 755 "$POLICY"
}
restore_service_policy() {
    rm -f "$POLICY"
    [[ ! -e $POLICY.before-wcs-node-agent ]] || mv "$POLICY.before-wcs-node-agent" "$POLICY"
}

# install_packages SECTION...: installs what is missing; needs neither root nor a network if
# nothing is.
install_packages() {
    local missing names=() new_services=() name
    mapfile -t missing < <(missing_packages "$@")
    if ((${#missing[@]} == 0)); then
        say "packages: everything is installed"
        return
    fi
    ((EUID == 0)) || die "run it as root, or install these first: ${missing[*]}"
    say "packages: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || die "apt-get update failed"
    for name in "${missing[@]}"; do
        name=$(available "$name") || die "apt has none of: ${name//|/, }"
        names+=("$name")
        [[ " ${SERVICES[*]} " != *" $name "* ]] || new_services+=("$name")
    done
    (
        trap restore_service_policy EXIT
        trap 'exit 1' INT TERM
        forbid_service_starts
        apt-get install -y -qq --no-install-recommends "${names[@]}"
    ) || die "apt-get install failed"
    # Nor at the next boot.
    if ((${#new_services[@]})) && command -v systemctl >/dev/null; then
        systemctl disable --quiet "${new_services[@]}" || true
    fi
}

# npm comes with some builds of nodejs, and Debian's package of it would conflict with them.
install_npm() { command -v npm >/dev/null || install_packages npm; }

# build_arm64 TARGET...: by a cross compiler, with libraries that are downloaded at first use.
build_arm64() {
    install_packages build arm64
    /usr/bin/python3 "$ROOT/tools/lib/arm64_sysroot.py" || die "the libraries for arm64 could not be downloaded"
    build arm64 "$@"
}

# build PRESET [TARGET...]
build() {
    local preset=$1
    shift
    say "building: $preset"
    (
        cd "$ROOT"
        cmake --preset "$preset" >"/dev/null" || exit 1
        # Boost's headers cost about 1 GB a compiler: no more of them than CPUs.
        cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
    ) || die "the $preset build failed"
}
