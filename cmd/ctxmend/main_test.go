package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ctxmend": main})
}

// TestScripts holds the command to its contract: testdata/script.
func TestScripts(t *testing.T) {
	goEnv, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Fields(string(goEnv))
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	self, err := exec.LookPath("ctxmend") // testscript.Main has put it into PATH
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(testdata, "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition:           needed,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars,
				"GOCACHE="+values[0], "GOMODCACHE="+values[1],
				"GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=",
				"CTXMEND="+self, "CTXMEND_CACHE="+filepath.Join(env.WorkDir, ".journal"),
				"NO_COLOR=", "TERM=xterm",
				"ROOT="+root,
				"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0",
				"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
			)
			return os.MkdirAll(filepath.Join(env.WorkDir, ".journal"), 0o755)
		},
	})
}

// needed answers the condition needs:PROGRAM, which holds where the program is there. .ci/run sees to it that all are.
func needed(condition string) (bool, error) {
	program, ok := strings.CutPrefix(condition, "needs:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("CI") != "" {
		return false, fmt.Errorf("%s has to be there: %w", program, err)
	}
	return err == nil, nil
}

// exits runs a command and checks its exit code, which is part of the contract:
//
//	exits CODE command args...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
