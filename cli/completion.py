"""`capsule completion`: the script by which a shell completes command lines, and the answers to it.

Click finds what is being completed. The scripts are ours: Click's take words apart at `@` and `=` as bash does, put a
value in the place of `--option=` in zsh, and cut a title at its first comma in fish.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from .app import COMPLETION_VARIABLE, application
from .command import Command, settings_options
from .output import print_json
from .settings import Settings, settings

if TYPE_CHECKING:
    pass

__all__ = ["complete"]

_SECONDS: Final = 1.0
"""How long a shell is kept waiting: a store that another process holds for longer has nothing to offer."""

_BASH: Final = r"""
%(complete_func)s() {
    local line=${COMP_LINE:0:COMP_POINT} type value
    # Readline replaces $2 alone, which begins after the last of = : @ in the word.
    local word=${line##*[[:space:]]}
    local before=${word%%"$2"}
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$before"}") ;;
        esac
    done < <(env COMP_WORDS="$line" %(complete_var)s=bash_complete "${1/#\~/$HOME}" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s capsule capsulestore
"""

_ZSH: Final = r"""
#compdef capsule capsulestore
%(complete_func)s() {
    local -a described plain answer
    local type value title
    local line="${(j: :)words[1,CURRENT]}"
    answer=("${(@f)$(env COMP_WORDS="$line" %(complete_var)s=zsh_complete ${~words[1]} 2>/dev/null)}")
    # What an option is given after its = takes the place of that, and not of the option.
    compset -P '--*='
    for type value title in "${answer[@]}"; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files ;;
            plain) if [[ $title == _ ]]; then plain+=("$value"); else described+=("$value:${title//\\/\\\\}"); fi ;;
        esac
    done
    (( $#described )) && _describe -V capsule described
    (( $#plain )) && compadd -V capsule -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s capsule capsulestore
fi
"""

_FISH: Final = r"""
function %(complete_func)s
    set -l command (commandline --tokenize --current-process)[1]
    set -l line (commandline --cut-at-cursor --current-process | string join " ")
    set -l before (string match --regex -- '^--[^=]*=' (commandline --cut-at-cursor --current-token))
    for item in (env COMP_WORDS="$line" %(complete_var)s=fish_complete $command 2>/dev/null)
        set -l parts (string split --max 1 "," -- $item)
        switch $parts[1]
            case dir
                set parts (__fish_complete_directories $parts[2])
            case file
                set parts (__fish_complete_path $parts[2])
            case '*'
                set --erase parts[1]
        end
        for value in $parts
            echo "$before$value"
        end
    end
end
complete --no-files --keep-order --command capsule --command capsulestore --arguments "(%(complete_func)s)"
"""


class _Line(ShellComplete):
    """A shell whose script gives the line up to the cursor, as it was typed."""

    def get_completion_args(self) -> tuple[list[str], str]:
        # With a letter more, the word at the cursor is there and the last, be it empty or within quotes.
        *words, last = split_arg_string(f"{os.environ['COMP_WORDS']}_")
        return words[1:], last[:-1]

    def source(self) -> str:
        return super().source().lstrip()


class _Bash(_Line, BashComplete):
    source_template = _BASH


class _Zsh(_Line, ZshComplete):
    source_template = _ZSH


class _Fish(_Line, FishComplete):
    source_template = _FISH


_SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command(
    cls=Command,
    examples=(
        ('eval "$(capsule completion bash)"', "in ~/.bashrc"),
        ('eval "$(capsule completion zsh)"', "in ~/.zshrc, after compinit"),
        ("capsule completion fish | source", "in ~/.config/fish/config.fish"),
    ),
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@settings_options
def command(shell: str) -> None:
    """Print the script by which a shell completes commands, options and names.

    Names are the store's tags, @, and the digests of its capsules, each with its title where the shell shows it.
    """
    script = _completion(shell).source()
    if settings().json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script, nl=False)


def complete(instruction: str) -> int:
    """Print what a script asks for in its variable, and return the exit status. What goes wrong says nothing.

    No store is changed, but for the index, a cache, which is brought up to date as by every command.
    """
    shell, _, what = instruction.partition("_")
    if shell not in _SHELLS or what != "complete":
        return 1
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        answer = _completion(shell).complete()
    except Exception:  # a shell that completes shows no error
        return 1
    click.echo(answer.encode(errors="surrogateescape"))
    return 0


def _completion(shell: str) -> ShellComplete:
    return _SHELLS[shell](application, {"obj": Settings()}, "capsule", COMPLETION_VARIABLE)


def _give_up(*_: Any) -> NoReturn:
    os._exit(1)
