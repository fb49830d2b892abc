// Package polite is the one way in which a campaign's forge clients speak HTTP:
// it hands over the token, to the forge alone, leaves a second between
// changes, stops when the forge asks for patience, and says what an answer
// means in package forge's errors. The clients above it retry nothing, wait for nothing and never hold
// the token: when to try again is the queue's to decide.
package polite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// spacing is the time between two changes: GitHub asks for at least a second,
// and notifications follow most of them.
const spacing = time.Second

// patience is how long one request may take.
const patience = 90 * time.Second

// A Clock tells the time and waits. Tests have one that waits for nothing.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or with the context's error when it ends first.
	Wait(ctx context.Context, d time.Duration) error
}

// Options say whom to speak to, and how.
type Options struct {
	// Base is where the forge lies. The token goes nowhere else.
	Base *url.URL
	// Token is sent as Authorization, after Scheme; nothing is where it is empty.
	Token  forge.Secret
	Scheme string
	// HTTP is the client whose transport, timeout and cookies are used; nil for one with proxies from the environment.
	HTTP *http.Client
	// Clock is nil for that of the machine.
	Clock Clock
}

// Client returns an HTTP client that is polite to one forge. All clients of the forge in a process share it.
func Client(o Options) *http.Client {
	client := &http.Client{Timeout: patience}
	if o.HTTP != nil {
		given := *o.HTTP
		client = &given
	}
	base := client.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	clock := o.Clock
	if clock == nil {
		clock = machine{}
	}
	client.Transport = &transport{
		base: base, home: o.Base, clock: clock,
		token: o.Token, scheme: o.Scheme,
		turn: make(chan struct{}, 1), limits: map[string]*forge.LimitError{},
	}
	client.CheckRedirect = sameRequest
	return client
}

// sameRequest follows a repository to its new name, and nothing that would make of a change a mere look.
func sameRequest(req *http.Request, via []*http.Request) error {
	if first := via[0]; req.Method != first.Method {
		return fmt.Errorf("the forge redirects %s %s to another request: %w", first.Method, first.URL.Path, forge.ErrInvalid)
	}
	if len(via) >= 5 {
		return errors.New("the forge redirects without end")
	}
	return nil
}

// A transport carries the requests of one user to one forge.
type transport struct {
	base   http.RoundTripper
	home   *url.URL
	clock  Clock
	token  forge.Secret
	scheme string

	turn chan struct{} // held by whoever makes a change
	last time.Time     // when the last change ended; whoever holds the turn may touch it

	mu     sync.Mutex
	limits map[string]*forge.LimitError // by kind of request: nothing is sent before they end
	bursts int                          // limits on bursts in a row that named no time
}

// RoundTrip sends a request when the forge may be asked, and turns every answer that is no success into an error.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.limited(req); err != nil {
		discard(req)
		return nil, err
	}
	change := req.Method != http.MethodGet && req.Method != http.MethodHead
	if change {
		if err := t.wait(req.Context()); err != nil {
			discard(req)
			return nil, err
		}
		defer t.done()
		// The wait may have been long enough for somebody else to meet a limit.
		if err := t.limited(req); err != nil {
			discard(req)
			return nil, err
		}
	}
	sent := req.Clone(req.Context())
	sent.Header.Del("Authorization")
	if t.token.Reveal() != "" && req.URL.Scheme == t.home.Scheme && strings.EqualFold(req.URL.Host, t.home.Host) {
		sent.Header.Set("Authorization", t.scheme+" "+t.token.Reveal())
	}
	resp, err := t.base.RoundTrip(sent)
	if err != nil {
		return nil, t.silence(req, err)
	}
	return t.judge(req, resp, change)
}

// judge makes of an answer what the clients above get to see.
func (t *transport) judge(req *http.Request, resp *http.Response, change bool) (*http.Response, error) {
	// Whoever asks is answered with the request that it made, which has no token.
	resp.Request = req
	now := t.clock.Now()
	if resp.StatusCode < 400 {
		if reset, spent := allowance(resp.Header, now); spent {
			t.remember(kindOf(req), &forge.LimitError{Until: reset, Cause: errors.New("the allowance is used up")})
		}
		if change {
			t.calm()
		}
		return resp, nil
	}
	problem, err := t.problem(req, resp)
	if err != nil {
		return nil, t.silence(req, err)
	}
	if limit := t.limit(resp, problem, now); limit != nil {
		kind := everything
		if !limit.Secondary {
			kind = kindOf(req)
		}
		t.remember(kind, limit)
		return nil, limit
	}
	return nil, problem
}

// wait takes the turn for a change, when a second has passed since the last one.
func (t *transport) wait(ctx context.Context) error {
	select {
	case t.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if rest := t.last.Add(spacing).Sub(t.clock.Now()); rest > 0 && !t.last.IsZero() {
		if err := t.clock.Wait(ctx, rest); err != nil {
			<-t.turn
			return err
		}
	}
	return nil
}

// done gives the turn back.
func (t *transport) done() {
	t.last = t.clock.Now()
	<-t.turn
}

// discard closes the body of a request that is not sent, as RoundTrip has to.
func discard(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// silence says that the forge gave no answer, unless whoever asked no longer waits for one.
func (t *transport) silence(req *http.Request, err error) error {
	err = t.conceal(err)
	if errors.Is(req.Context().Err(), context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", forge.ErrUnavailable, err)
}

// conceal makes sure of what should be so anyway: no error holds the token.
func (t *transport) conceal(err error) error {
	if token := t.token.Reveal(); token != "" && strings.Contains(err.Error(), token) {
		return errors.New(strings.ReplaceAll(err.Error(), token, "(hidden)"))
	}
	return err
}

// machine is the clock of the machine.
type machine struct{}

func (machine) Now() time.Time { return time.Now() }

func (machine) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
