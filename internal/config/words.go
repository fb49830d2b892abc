package config

import (
	"errors"
	"go/token"
	"regexp"
	"strings"
	"sync"
)

// A word is text of a form that can be checked by itself.
type word interface{ check() error }

// A Checker is such text of another package: its error continues the sentence that begins with the text.
type Checker interface{ Check() error }

// A FuncName is a function as go doc names it, with the whole import path: example.com/kv.Put,
// (*example.com/kv.Store).Put, (example.com/kv.Putter).Put.
type FuncName string

// A TypeName is a type at package level with its whole import path: example.com/web.Context.
type TypeName string

// A MethodName is the name of a method.
type MethodName string

// An ImportPath is the path of a package.
type ImportPath string

// A Platform is GOOS/GOARCH.
type Platform string

var (
	importPath = `[\pL\pN._~\-]+(?:/[\pL\pN._~\-]+)*`
	funcForm   = form(`^(?:` + importPath + `\.([\pL_][\pL\pN_]*)|\(\*?` + importPath + `\.[\pL_][\pL\pN_]*\)\.([\pL_][\pL\pN_]*))$`)
	typeForm   = form(`^` + importPath + `\.[\pL_][\pL\pN_]*$`)
	pathForm   = form(`^` + importPath + `$`)
	platform   = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9]+$`)
)

// form is an expression that is compiled when it is first asked for: the classes of Unicode make that dear, and go vet starts this
// program for every package.
func form(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func (f FuncName) check() error {
	if !funcForm().MatchString(string(f)) {
		return errors.New("is not the name of a function: write example.com/kv.Put, or (*example.com/kv.Store).Put for a method")
	}
	return nil
}

func (t TypeName) check() error {
	if !typeForm().MatchString(string(t)) {
		return errors.New("is not the name of a type: write example.com/web.Context")
	}
	return nil
}

func (m MethodName) check() error {
	if !token.IsIdentifier(string(m)) {
		return errors.New("is not the name of a method")
	}
	return nil
}

func (p ImportPath) check() error {
	if p == "" {
		return nil // the default
	}
	if !pathForm().MatchString(string(p)) || strings.HasPrefix(string(p), ".") {
		return errors.New("is not an import path: write example.com/m/internal/ctxkeys")
	}
	return nil
}

func (p Platform) check() error {
	if !platform.MatchString(string(p)) {
		return errors.New("is not a platform: write GOOS/GOARCH, for example linux/amd64")
	}
	return nil
}
