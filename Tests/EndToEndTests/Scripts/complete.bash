# complete.bash SCRIPT WORD…
#
# Prints what bash would offer for the last word, a line each.
source "$1"
shift
COMP_WORDS=(stack "$@")
COMP_CWORD=$#
COMP_LINE="${COMP_WORDS[*]}"
COMP_POINT=${#COMP_LINE}
entry=$(complete -p stack)
[[ $entry =~ -F\ ([^ ]+) ]]
"${BASH_REMATCH[1]}" stack "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
