package clone

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// The variables that tell the askpass helper what to say to whom. They are in the environment of git commands that speak to a server, and nowhere else.
const (
	// AskpassVariable is set to the server, scheme and host, where a process is to be the helper.
	AskpassVariable = "CTXMEND_ASKPASS"
	askpassUser     = "CTXMEND_ASKPASS_USER"
	askpassToken    = "CTXMEND_ASKPASS_TOKEN"
)

// Askpass answers the question that git puts to its askpass helper, its only argument, and returns the exit code. A
// program that is started with [AskpassVariable] in its environment calls it and does nothing else.
func Askpass(args []string, env func(string) string, stdout io.Writer) int {
	if len(args) != 1 {
		return 1
	}
	what, server, ok := strings.Cut(args[0], " for '")
	server, _, end := strings.Cut(server, "'")
	if !ok || !end || !sameServer(server, env(AskpassVariable)) {
		return 1
	}
	answer := ""
	switch what {
	case "Username":
		answer = env(askpassUser)
	case "Password":
		answer = env(askpassToken)
	}
	if answer == "" || strings.ContainsAny(answer, "\r\n\x00") {
		return 1
	}
	if _, err := fmt.Fprintln(stdout, answer); err != nil {
		return 1
	}
	return 0
}

// sameServer reports whether two URLs name the same server.
func sameServer(a, b string) bool {
	x, err := url.Parse(a)
	if err != nil {
		return false
	}
	y, err := url.Parse(b)
	return err == nil && x.Scheme == y.Scheme && x.Host != "" && strings.EqualFold(x.Host, y.Host)
}

// askpass returns the variables that make git ask the helper.
func (g *Git) askpass(remote *campaign.Remote) ([]string, error) {
	if remote.Access.Token.Reveal() == "" {
		return []string{"GIT_ASKPASS=", "SSH_ASKPASS="}, nil
	}
	helper := g.Askpass
	if helper == "" {
		var err error
		if helper, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	at, err := url.Parse(remote.URL)
	if err != nil {
		return nil, errURL
	}
	user := remote.Access.Username
	if user == "" {
		user = "git" // forges that look at the token alone want some name
	}
	return []string{
		"GIT_ASKPASS=" + helper, "SSH_ASKPASS=", AskpassVariable + "=" + at.Scheme + "://" + at.Host,
		askpassUser + "=" + user, askpassToken + "=" + remote.Access.Token.Reveal(),
	}, nil
}

// secrets are the forms in which a token could come back from a server.
func secrets(access forge.Access) []string {
	token := access.Token.Reveal()
	if token == "" {
		return nil
	}
	list := []string{token}
	if e := url.QueryEscape(token); e != token {
		list = append(list, e)
	}
	if e := url.PathEscape(token); e != token {
		list = append(list, e)
	}
	for _, user := range []string{access.Username, "git"} {
		list = append(list, base64.StdEncoding.EncodeToString([]byte(user+":"+token)))
	}
	return list
}
