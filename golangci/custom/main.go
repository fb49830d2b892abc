// Command custom is golangci-lint with ctxmend as one of its linters: what `golangci-lint custom` makes of the
// .custom-gcl.yml in the README, but from the module proxy alone.
package main

import (
	"fmt"
	"os"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "github.com/ctxmend/ctxmend/golangci"
)

func main() {
	if err := commands.Execute(commands.BuildInfo{Version: "ctxmend"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitcodes.Failure)
	}
}
