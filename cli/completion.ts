// mytx completion: the script by which a shell completes this command line, and the answers to what the script asks. A
// script hands the words over as they were typed: it never evaluates them, since a $(command) among them would run at
// the press of a key.

import type { Command } from 'commander';
import { findOffers, renderOffers } from './offers.ts';

export type Shell = keyof typeof scripts;

export function printScript(shell: Shell): void {
  process.stdout.write(scripts[shell]);
}

/** @param words those behind `mytx`, up to the cursor; the last one may be empty */
export function printOffers(program: Command, words: readonly string[]): void {
  process.stdout.write(`${renderOffers(findOffers(program, words)).join('\n')}\n`);
}

// In each: a line that begins with a colon says whether names of files go there too, any other is a word, a tab and what
// it means.
const scripts = {
  // The one of macOS is 3.2, which has no mapfile and no compopt.
  bash: `# Completion of mytx in bash: source <(mytx completion bash)
_mytx() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <(mytx complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _mytx mytx
`,
  zsh: `#compdef mytx
# Completion of mytx in zsh: source <(mytx completion zsh), behind compinit
_mytx() {
  local line
  local -a offers
  for line in "\${(@f)$(mytx complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) compset -P '--*='; _files; return ;;
      :*|'') ;;
      *) offers+=("\${\${line//:/\\\\:}/$'\\t'/:}") ;;
    esac
  done
  _describe 'mytx' offers
}
if [ "\${funcstack[1]}" = _mytx ]; then _mytx "$@"; else compdef _mytx mytx; fi
`,
  fish: `# Completion of mytx in fish: mytx completion fish | source
function __mytx
    set -l words (commandline -opc)
    set -l at (commandline -ct)
    set -l lines (mytx complete -- $words[2..-1] "$at" 2>/dev/null)
    if test "$lines[-1]" = :files
        set -l parts (string match -r '^(--[^=]*=|)(.*)$' -- "$at")
        printf '%s\\n' $parts[2](__fish_complete_path "$parts[3]")
    else
        string match -v ':*' -- $lines
    end
end
complete -c mytx -f -a '(__mytx)'
`,
} as const;
