package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/git"
)

// hookMark is the line by which a hook of ctxmend's own is known again.
const hookMark = "# written by ctxmend hook install; ctxmend hook uninstall removes it"

// hookScript is the pre-commit hook. Hooks run in a shell on every system, that of Git for Windows included.
func hookScript(command string) []byte {
	return []byte("#!/bin/sh\n" + hookMark + "\nif ! command -v ctxmend >/dev/null 2>&1; then\n" +
		"\techo 'ctxmend: not found in PATH: go install github.com/ctxmend/ctxmend/cmd/ctxmend@latest, or git commit --no-verify' >&2\n\texit 1\nfi\n" +
		"exec " + command + "\n")
}

func (a *app) hookInstallCommand() *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Set ctxmend hook up as the repository's pre-commit hook",
		Long: `Install writes a pre-commit hook that runs ctxmend hook, in the directory that git
takes hooks from (core.hooksPath counts). A hook that is there already is never
changed, nor is the configuration of a program that manages hooks (husky, lefthook,
pre-commit): install then prints what to add, and where, and its exit code is 1.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.hookInstall(cmd.Context(), fix) },
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "install ctxmend hook --fix")
	return cmd
}

func (a *app) hookUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Remove the pre-commit hook that hook install wrote",
		Long: `Uninstall removes the pre-commit hook that ctxmend hook install wrote. A hook that
somebody else wrote, or changed, is left alone; the exit code is then 1.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.hookUninstall(cmd.Context()) },
	}
}

// A foreignHookError says that hooks are somebody else's matter, and what to do there.
type foreignHookError struct{ what, add string }

func (e *foreignHookError) Error() string { return e.what }

func (a *app) hookInstall(ctx context.Context, fix bool) error {
	repo, err := a.openRepo(ctx)
	if err != nil {
		return err
	}
	command := "ctxmend hook"
	if fix {
		command += " --fix"
	}
	hooks, err := repo.Hooks(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(hooks, "pre-commit")
	have, err := os.ReadFile(file)
	switch {
	case err == nil && bytes.Contains(have, []byte(hookMark)):
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		if managed := a.managed(repo, hooks, command); managed != nil {
			return managed
		}
		return &foreignHookError{a.relative(file) + " is there already, and is left as it is", "add to it:\n\t" + command + " || exit $?"}
	default:
		if managed := a.managed(repo, hooks, command); managed != nil {
			return managed
		}
	}
	want := hookScript(command)
	if !bytes.Equal(have, want) {
		if err := writeHook(file, want); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(a.stdout, "%s runs %s\n", a.relative(file), command)
	return err
}

// writeHook writes an executable file whole: git may want to run it at any moment.
func writeHook(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), ".ctxmend-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(data)
	if cerr := temp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Chmod(temp.Name(), 0o755)
	}
	if err == nil {
		err = os.Rename(temp.Name(), file)
	}
	return err
}

// managed recognises programs that manage a repository's hooks, and says what to write where; nil when there is none.
func (a *app) managed(repo *git.Repo, hooks, command string) error {
	have := func(names ...string) string {
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(repo.Top, filepath.FromSlash(name))); err == nil {
				return name
			}
		}
		return ""
	}
	id := "ctxmend"
	if strings.HasSuffix(command, "--fix") {
		id += "-fix"
	}
	if name := have("lefthook.yml", ".lefthook.yml", "lefthook.yaml", ".lefthook.yaml", "lefthook.toml", "lefthook.json", ".config/lefthook.yml"); name != "" {
		return &foreignHookError{"lefthook manages the hooks of this repository (" + name + ")",
			"add to it:\npre-commit:\n  commands:\n    " + id + ":\n      glob: \"*.{go,mod,sum,work}\"\n      run: " + command}
	}
	if have(".husky") != "" || filepath.Base(filepath.Dir(hooks)) == ".husky" || filepath.Base(hooks) == ".husky" {
		return &foreignHookError{"husky manages the hooks of this repository (.husky)",
			"add to .husky/pre-commit:\n" + command}
	}
	if name := have(".pre-commit-config.yaml"); name != "" {
		return &foreignHookError{"pre-commit manages the hooks of this repository (" + name + ")",
			"add to its repos:\n  - repo: https://github.com/ctxmend/ctxmend\n    rev: " + release() + "\n    hooks:\n      - id: " + id}
	}
	return nil
}

// release is the version to name in configurations of others.
func release() string {
	if v := version(); strings.HasPrefix(v, "v") && !strings.Contains(v, "+") {
		return v
	}
	return "main # or a release"
}

func (a *app) hookUninstall(ctx context.Context) error {
	repo, err := a.openRepo(ctx)
	if err != nil {
		return err
	}
	hooks, err := repo.Hooks(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(hooks, "pre-commit")
	have, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no %s to remove", a.relative(file))
	case err != nil:
		return err
	case !bytes.Equal(have, hookScript("ctxmend hook")) && !bytes.Equal(have, hookScript("ctxmend hook --fix")):
		return &foreignHookError{a.relative(file) + " is not as ctxmend hook install wrote it, and is left as it is", "take the line with ctxmend hook out of it, if it has one"}
	}
	if err := os.Remove(file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s removed\n", a.relative(file))
	return err
}
