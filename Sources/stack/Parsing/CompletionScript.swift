import ArgumentParser

/// The output of `stack --generate-completion-script SHELL`: the parser's script, with three things that the parser does
/// not know. These are options before the command, the names that the program itself lists, and arguments of `build` and
/// `cp`.
struct CompletionScript {
  let text: String

  /// Nil where something else is asked for, or for another shell.
  init?(_ words: [String]) {
    let option = "--generate-completion-script"
    guard let first = words.first, first == option || first.hasPrefix(option + "=") else { return nil }
    let name = first == option ? words.dropFirst().first : String(first.dropFirst(option.count + 1))
    switch name {
    case "bash": text = Self.bash
    case "zsh": text = Self.zsh
    case "fish": text = Self.fish
    default: return nil
    }
  }

  /// The names of the options before a command that take a value, and what their values are.
  private static let files = pattern(["--file", "--env-file"])
  private static let folders = pattern(["--project-directory"])
  private static let stacks = pattern(["--project-name", "--stack"])
  private static let profiles = pattern(["--profile"])
  private static let valued = pattern(LeadingOptions.known.filter(\.takesValue).flatMap(\.names))

  /// As `case` of bash and zsh has it.
  private static func pattern(_ names: [String]) -> String {
    let all = LeadingOptions.known.filter { option in names.contains { option.names.contains($0) } }.flatMap(\.names)
    return all.joined(separator: " | ")
  }

  private static func words(_ pattern: String) -> String { pattern.split(separator: " | ").joined(separator: " ") }

  // MARK: Shells

  private static var bash: String {
    StackCommand.completionScript(for: .bash) + #"""

      __stack_typed=()

      __stack_names() {
          stack __complete "$1" "${__stack_typed[@]}" 2>/dev/null
      }

      # Steps over what stands before the command.
      _stack_line() {
          __stack_typed=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
          local cur="${COMP_WORDS[COMP_CWORD]}"
          local -i at=1
          while ((at < COMP_CWORD)) && [[ "${COMP_WORDS[at]}" == -?* ]]; do
              case "${COMP_WORDS[at]}" in
              \#(valued))
                  if ((at + 1 == COMP_CWORD)); then
                      case "${COMP_WORDS[at]}" in
                      \#(files)) COMPREPLY=($(compgen -f -- "$cur")) ;;
                      \#(folders)) COMPREPLY=($(compgen -d -- "$cur")) ;;
                      \#(stacks)) COMPREPLY=($(compgen -W "$(__stack_names stacks)" -- "$cur")) ;;
                      \#(profiles)) COMPREPLY=($(compgen -W "$(__stack_names profiles)" -- "$cur")) ;;
                      esac
                      return
                  fi
                  at+=2
                  ;;
              *) at+=1 ;;
              esac
          done
          if ((at > 1)); then
              COMP_WORDS=("${COMP_WORDS[0]}" "${COMP_WORDS[@]:at}")
              COMP_CWORD=$((COMP_CWORD - at + 1))
              COMP_LINE="${COMP_WORDS[*]}"
              COMP_POINT=${#COMP_LINE}
          fi
          _stack "$@"
          if ((COMP_CWORD > 1)) && [[ "$cur" != -* ]]; then
              case "${COMP_WORDS[1]}" in
              build) COMPREPLY+=($(compgen -W "$(__stack_names builds)" -- "$cur")) ;;
              cp) COMPREPLY+=($(compgen -W "$(__stack_names copies)" -- "$cur")) ;;
              scale) COMPREPLY+=($(compgen -W "$(__stack_names scales)" -- "$cur")) ;;
              esac
          fi
          if [[ "${COMPREPLY[0]-}" == *[:=] ]]; then compopt -o nospace 2>/dev/null; fi
      }

      complete -o filenames -F _stack_line stack
      """#
  }

  private static var zsh: String {
    // zsh calls what has the file's name: that is the function here, and the parser's gets another.
    let script = StackCommand.completionScript(for: .zsh).replacing("\n_stack() {", with: "\n__stack_command() {")
    // The parser's script ends by running or naming its own function.
    let start = script.ranges(of: "if [[ \"${funcstack[1]}\" = _stack ]]").last?.lowerBound ?? script.endIndex
    return String(script[..<start]) + #"""
      __stack_list() {
          stack __complete "$1" "${(@)__stack_typed}" 2>/dev/null
      }

      # For _describe, to which what follows a colon is a description.
      __stack_names() {
          local list="$(__stack_list "$1")"
          print -r -- "${list//:/\\:}"
      }

      # Steps over what stands before the command.
      _stack() {
          local -a __stack_typed=("${(@)words[2,CURRENT-1]}")
          local -i at=2 ret=1
          while ((at < CURRENT)) && [[ "${words[at]}" == -?* ]]; do
              case "${words[at]}" in
              (\#(valued))
                  if ((at + 1 == CURRENT)); then
                      case "${words[at]}" in
                      (\#(files)) _files ;;
                      (\#(folders)) _files -/ ;;
                      (\#(stacks)) compadd -- ${(f)"$(__stack_list stacks)"} ;;
                      (\#(profiles)) compadd -- ${(f)"$(__stack_list profiles)"} ;;
                      esac
                      return
                  fi
                  at+=2
                  ;;
              (*) at+=1 ;;
              esac
          done
          if ((at > 2)); then
              words=("${words[1]}" "${(@)words[at,-1]}")
              CURRENT=$((CURRENT - at + 2))
          fi
          if ((CURRENT > 2)) && [[ "${PREFIX}" != -* ]]; then
              case "${words[2]}" in
              (build) compadd -- ${(f)"$(__stack_list builds)"} && ret=0 ;;
              (cp) compadd -S '' -- ${(f)"$(__stack_list copies)"} && ret=0 ;;
              (scale) compadd -S '' -- ${(f)"$(__stack_list scales)"} && ret=0 ;;
              esac
          fi
          __stack_command "${@}" && ret=0
          return "${ret}"
      }

      if [[ "${funcstack[1]}" = _stack ]]; then
          _stack "${@}"
      else
          compdef _stack stack
      fi
      """#
  }

  private static var fish: String {
    StackCommand.completionScript(for: .fish) + #"""

      functions -c __stack_tokens __stack_all_tokens

      function __stack_names
          stack __complete $argv[1] (__stack_all_tokens -pc)[2..] 2>/dev/null
      end

      # Steps over what stands before the command. Where the value of such an option is typed, no command is meant.
      function __stack_tokens
          set -l tokens (__stack_all_tokens $argv)
          while string match -q -- '-?*' $tokens[2]
              if contains -- $tokens[2] \#(words(valued))
                  if not set -q tokens[3]
                      set tokens __value
                      break
                  end
                  set -e tokens[2..3]
              else
                  set -e tokens[2]
              end
          end
          printf '%s\n' $tokens
      end

      function __stack_is_value_of
          set -l tokens (__stack_all_tokens -pc)
          contains -- $tokens[-1] $argv; and test (__stack_tokens -pc)[1] = __value
      end

      function __stack_is_command
          set -l tokens (__stack_tokens -pc)
          test "$tokens[2]" = $argv[1]
      end

      complete -c stack -n '__stack_is_value_of \#(words(files))' -F
      complete -c stack -n '__stack_is_value_of \#(words(folders))' -fa '(__fish_complete_directories)'
      complete -c stack -n '__stack_is_value_of \#(words(stacks))' -fa '(__stack_names stacks)'
      complete -c stack -n '__stack_is_value_of \#(words(profiles))' -fa '(__stack_names profiles)'
      complete -c stack -n '__stack_is_command build' -fa '(__stack_names builds)'
      complete -c stack -n '__stack_is_command cp' -a '(__stack_names copies)'
      complete -c stack -n '__stack_is_command scale' -fa '(__stack_names scales)'
      """#
  }
}
