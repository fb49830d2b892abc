package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// bashCompletion is where the functions lie that bash loads when a person logs in.
const bashCompletion = "/usr/share/bash-completion/bash_completion"

// completions are what each shell is asked, as a person would by a tab at the end of the line.
var completions = []struct {
	line string
	want []string
	not  string
}{
	{"ctxmend ch", []string{"check"}, "fix"},
	{"ctxmend config ", []string{"check", "print", "schema"}, "undo"},
	{"ctxmend check --rules buil", []string{"builtinkey"}, "freshctx"},
	{"ctxmend check --level ", []string{"safe", "review"}, "builtinkey"},
	{"ctxmend explain fresh", []string{"freshctx"}, "builtinkey"},
	{"ctxmend fix --inter", []string{"--interactive"}, "--level"},
}

// TestShellsComplete asks bash, zsh and fish themselves.
func TestShellsComplete(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("these shells are those of other systems")
	}
	ctxmend, err := exec.LookPath("ctxmend") // testscript.Main puts it on PATH
	if err != nil {
		t.Fatal(err)
	}
	for shell, ask := range map[string]func(script, line string) []string{"bash": askBash, "zsh": askZsh, "fish": askFish} {
		t.Run(shell, func(t *testing.T) {
			path := needs(t, shell)
			if _, err := os.Stat(bashCompletion); err != nil && shell == "bash" {
				absent(t, "bash-completion")
			}
			script := filepath.Join(t.TempDir(), "_ctxmend")
			if err := os.WriteFile(script, []byte(runApp(t, exitOK, "completion", shell)), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, c := range completions {
				cmd := exec.Command(path, ask(script, c.line)...)
				cmd.Dir = t.TempDir()
				cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(ctxmend)+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir, "XDG_DATA_HOME="+cmd.Dir, "TERM=dumb")
				out, err := cmd.CombinedOutput()
				words := strings.Fields(string(out))
				for _, want := range c.want {
					if !slices.Contains(words, want) {
						t.Errorf("%q: no %s in %q (%v)", c.line, want, out, err)
					}
				}
				if slices.Contains(words, c.not) {
					t.Errorf("%q: %s in %q", c.line, c.not, out)
				}
			}
		})
	}
}

// askBash runs the completion function the way readline does.
func askBash(script, line string) []string {
	return []string{"--norc", "--noprofile", "-c", `. ` + bashCompletion + `; . "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=9 COMP_KEY=9
read -ra COMP_WORDS <<<"$2"; case $2 in *' ') COMP_WORDS+=("");; esac
COMP_CWORD=$((${#COMP_WORDS[@]}-1))
__start_ctxmend ctxmend "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"`, "bash", script, line}
}

// askZsh loads the script with functions in place of those of the line editor, which needs a terminal, that print what they are
// given.
func askZsh(script, line string) []string {
	return []string{"-f", "-c", `
compdef() { :; }
_describe() { local name=${@[-1]}; [[ $1 == -* ]] && name=$4; for a in "$@"; do [[ $a == completions ]] && name=completions; done; for c in "${(@P)name}"; do [[ $c == ${words[CURRENT]}* ]] && print -r -- "${c%%:*}"; done; }
_arguments() { :; }
compadd() { print -rl -- "$@"; }
words=(${(z)2}); [[ $2 == *' ' ]] && words+=("")
CURRENT=${#words}
source $1
_ctxmend`, "zsh", script, line}
}

// askFish has a command for it.
func askFish(script, line string) []string {
	return []string{"--no-config", "-c", "source " + script + "; complete -C '" + line + "'"}
}
