package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/ctxmend/ctxmend/rules/suite"
)

func main() {
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
