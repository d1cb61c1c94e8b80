# SPDX-License-Identifier: Apache-2.0
# bash completion for wcs-node-agent. Commands, options and their values are read from what --help prints.

# Of an option in $help: what stands behind it, one blank away; nothing for a flag.
_wcs_node_agent_type() {
    sed -nE "s/^  (-h,)?${1//./\\.} ([^ ]+).*/\2/p" <<<"$help"
}

_wcs_node_agent() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=() help words=
    # An = is a word of its own.
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if ((COMP_CWORD > 1)) && [[ ${COMP_WORDS[1]} != -* ]]; then
        command=("${COMP_WORDS[1]}")
        if ((COMP_CWORD > 2)) && [[ ${command[0]} == config && ${COMP_WORDS[2]} != -* ]]; then
            command+=("${COMP_WORDS[2]}")
        fi
    fi
    COMPREPLY=()
    help=$("${COMP_WORDS[0]}" "${command[@]}" --help 2>/dev/null) || return

    if [[ $previous == --* ]]; then
        local type
        type=$(_wcs_node_agent_type "$previous")
        case $type in
            '') ;;  # a flag
            FILE | PATH)
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
                return
                ;;
            GLOB) words=$(sed -n 's/^ *\([^ ]*\):.*/\1/p' /proc/net/dev) ;;
            LEVEL) words="trace debug info warning error" ;;
            *'|'*) words=${type//|/ } ;;
            *) return ;;
        esac
    fi
    if [[ -z $words && $current == -* ]]; then
        words=$(sed -nE 's/^  (-h,)?(--[^ ]+).*/\2/p' <<<"$help")
    elif [[ -z $words && "${command[*]}" == "config check" ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    elif [[ -z $words ]]; then
        words=$(sed -nE '/^Subcommands:/,/^$/s/^  ([a-z]+) .*/\1/p; s/.*any of: (.*)/\1/;t limits;b;:limits;s/ N(, )?/\n/g;p' <<<"$help")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _wcs_node_agent wcs-node-agent
