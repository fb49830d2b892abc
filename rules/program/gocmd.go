package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// A goTool runs the go command in one directory.
type goTool struct {
	dir string
	env []string
	// overlay names the file that describes changed files, "" for none.
	overlay string
	// trace, when not nil, notes what the go command answers about the disk as it is.
	trace *Trace
}

// stderrLines is how much of the go command's complaint an error repeats.
const stderrLines = 8

// run returns the standard output of one go command. extra is added to the
// environment. Cancelling ctx kills the child.
func (g goTool) run(ctx context.Context, extra []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = g.dir
	// The go command names files below $PWD where that is the working directory;
	// without it a symbolic link in the path would give names that differ from ours.
	cmd.Env = append(append(append([]string{}, g.env...), extra...), "PWD="+g.dir)
	// The delay also counts from a good end of the command: a busy machine may take long to hand over the output.
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch {
	case err == nil:
		if g.overlay == "" {
			g.trace.command(extra, args, stdout.Bytes())
		}
		return stdout.Bytes(), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("the go command was not found: install Go from https://go.dev/dl or add it to PATH")
	}
	return nil, goError(args, stderr.String(), err)
}

// goError says what the go command said, and what to try where that is known.
func goError(args []string, stderr string, err error) error {
	var lines []string
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "go: downloading ") {
			lines = append(lines, line)
		}
	}
	if len(lines) > stderrLines {
		lines = append(lines[:stderrLines], "...")
	}
	said := strings.Join(lines, "\n\t")
	if said == "" {
		said = err.Error()
	}
	hint := ""
	switch {
	case strings.Contains(said, "updates to go.work needed"), strings.Contains(said, "go work sync"):
		hint = "\ntry `go work sync`"
	case strings.Contains(said, "inconsistent vendoring"):
		hint = "\ntry `go mod vendor`, or set GOFLAGS=-mod=mod"
	case strings.Contains(said, "updates to go.mod needed"), strings.Contains(said, "go mod tidy"),
		strings.Contains(said, "go.sum"):
		hint = "\ntry `go mod tidy`, or set GOFLAGS=-mod=mod"
	}
	return fmt.Errorf("go %s failed: %s%s", args[0], said, hint)
}

// goEnv is the part of go env that matters here.
type goEnv struct {
	GOWORK, GOMOD, GOOS, GOARCH, GOVERSION, GOROOT, GOFLAGS string
	GO111MODULE, CGO_ENABLED, GOMODCACHE                    string
}

func (g goTool) goEnv(ctx context.Context, extra []string) (goEnv, error) {
	var e goEnv
	out, err := g.run(ctx, extra, "env", "-json", "GOWORK", "GOMOD", "GOOS", "GOARCH", "GOVERSION",
		"GOROOT", "GOFLAGS", "GO111MODULE", "CGO_ENABLED", "GOMODCACHE")
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(out, &e); err != nil {
		return e, fmt.Errorf("go env printed something that is not JSON: %w", err)
	}
	return e, nil
}

// listedModule is a module as go list -m prints it.
type listedModule struct {
	Path, Dir, GoMod, GoVersion string
	Main                        bool
}

// listedPackage is a package as go list prints it; listFields are its fields.
type listedPackage struct {
	ImportPath, Dir, Name, ForTest     string
	Standard                           bool
	GoFiles, CgoFiles, InvalidGoFiles  []string
	TestGoFiles, XTestGoFiles          []string
	Imports, TestImports, XTestImports []string
	ImportMap                          map[string]string
	Module                             *listedModule
	Error                              *listedError
}

const listFields = "ImportPath,Dir,Name,ForTest,Standard,GoFiles,CgoFiles,InvalidGoFiles," +
	"TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports,ImportMap,Module,Error"

type listedError struct {
	ImportStack []string
	Pos, Err    string
}

// decodeAll decodes a stream of JSON values.
func decodeAll[T any](data []byte, what string) ([]*T, error) {
	var all []*T
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		v := new(T)
		switch err := dec.Decode(v); {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%s printed something that is not JSON: %w", what, err)
		}
		all = append(all, v)
	}
}

// mainModules lists the modules of the world.
func (g goTool) mainModules(ctx context.Context) ([]*listedModule, error) {
	args := []string{"list", "-m", "-json=Path,Dir,GoMod,GoVersion,Main"}
	if g.overlay != "" {
		args = append(args, "-overlay="+g.overlay)
	}
	out, err := g.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	return decodeAll[listedModule](out, "go list -m")
}

// packages lists the packages that patterns name and all they import.
func (g goTool) packages(ctx context.Context, c *Config, tags []string, tests bool, patterns []string) ([]*listedPackage, error) {
	args := []string{"list", "-e", "-deps", "-buildvcs=false", "-json=" + listFields}
	if tests {
		args = append(args, "-test")
	}
	if tags != nil {
		args = append(args, "-tags="+strings.Join(tags, ","))
	}
	if g.overlay != "" {
		args = append(args, "-overlay="+g.overlay)
	}
	args = append(append(args, "--"), patterns...)
	out, err := g.run(ctx, c.env, args...)
	if err != nil {
		return nil, err
	}
	return decodeAll[listedPackage](out, "go list")
}
