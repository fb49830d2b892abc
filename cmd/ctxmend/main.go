package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/ctxmend/ctxmend/patches/campaign/clone"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// gcPercent is how much may be allocated, as a share of what is in use, before the garbage collector
// runs. At Go's own 100 a large program takes a sixth more memory, for a twelfth less processor time.
const gcPercent = 60

func main() {
	if _, ok := os.LookupEnv(clone.AskpassVariable); ok { // git asks for a password
		os.Exit(clone.Askpass(os.Args[1:], os.Getenv, os.Stdout))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if args := os.Args[1:]; calledByGo(args) {
		vettool(args, suite.All)
	}
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command with everything it touches passed in. It returns the
// exit code.
func run(args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr, rules: suite.All}
	return a.exit(a.execute(ctx, args))
}
