package polite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/forgetest"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

const token = "t0ken-of-the-test"

// serve starts a server and returns a polite client of it.
func serve(t *testing.T, clock polite.Clock, handler http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return polite.Client(polite.Options{Base: base, Token: forge.NewSecret(token), Scheme: "Bearer", Clock: clock}), server.URL
}

func get(client *http.Client, url string) error {
	return do(client, http.MethodGet, url)
}

func do(client *http.Client, method, url string) error {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// TestLimits reads every way in which forges ask for patience.
func TestLimits(t *testing.T) {
	start := forgetest.NewClock().Now()
	for name, c := range map[string]struct {
		status    int
		header    map[string]string
		body      string
		wait      time.Duration // 0: no limit
		secondary bool
		search    bool // may searches go on?
	}{
		"GitHub, primary": {
			status: 403, wait: 25*time.Minute + time.Second, search: true,
			header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(start.Add(25 * time.Minute).Unix())},
			body:   `{"message":"API rate limit exceeded for user ID 1.","documentation_url":"https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting"}`,
		},
		"GitHub, primary by 429": {
			status: 429, wait: time.Minute + time.Second, search: true,
			header: map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(start.Add(time.Minute).Unix())},
			body:   `{"message":"API rate limit exceeded"}`,
		},
		"GitHub, secondary with seconds": {
			status: 403, wait: 61 * time.Second, secondary: true,
			header: map[string]string{"Retry-After": "60", "X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": fmt.Sprint(start.Add(time.Hour).Unix())},
			body:   `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}`,
		},
		"GitHub, secondary by words only": {
			status: 403, wait: time.Minute, secondary: true,
			header: map[string]string{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": fmt.Sprint(start.Add(time.Hour).Unix())},
			body:   `{"message":"You have exceeded a secondary rate limit."}`,
		},
		"GitHub, secondary by the page it points to": {
			status: 403, wait: time.Minute, secondary: true,
			body: `{"message":"Wait.","documentation_url":"https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`,
		},
		"GitHub, of old": {
			status: 403, wait: time.Minute, secondary: true,
			body: `{"message":"You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."}`,
		},
		"GitHub, forbidden": {
			status: 403, body: `{"message":"Resource not accessible by personal access token"}`,
			header: map[string]string{"X-RateLimit-Remaining": "4000", "X-RateLimit-Reset": fmt.Sprint(start.Add(time.Hour).Unix())},
		},
		"GitLab": {
			status: 429, wait: 31 * time.Second, secondary: false, search: true, body: "Retry later\n",
			header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": fmt.Sprint(start.Add(30 * time.Second).Unix()), "RateLimit-ResetTime": start.Add(30 * time.Second).Format(http.TimeFormat)},
		},
		"GitLab, with seconds": {
			status: 429, wait: 13 * time.Second, secondary: false, search: true, body: "Retry later\n",
			header: map[string]string{"Retry-After": "12", "RateLimit-Remaining": "0", "RateLimit-Reset": fmt.Sprint(start.Add(30 * time.Second).Unix())},
		},
		"GitLab, a date only": {
			status: 429, wait: 31 * time.Second, secondary: true, body: "Retry later\n",
			header: map[string]string{"RateLimit-ResetTime": start.Add(30 * time.Second).Format(http.TimeFormat)},
		},
		"a proxy, with a date": {
			status: 429, wait: 91 * time.Second, secondary: true,
			header: map[string]string{"Retry-After": start.Add(90 * time.Second).Format(http.TimeFormat)},
		},
		"a date by a clock that is an hour ahead": {
			status: 429, wait: 91 * time.Second, secondary: true,
			header: map[string]string{"Date": start.Add(time.Hour).Format(http.TimeFormat), "Retry-After": start.Add(time.Hour + 90*time.Second).Format(http.TimeFormat)},
		},
		"a reset by a clock that is an hour behind": {
			status: 403, wait: 91 * time.Second, search: true,
			header: map[string]string{"Date": start.Add(-time.Hour).Format(http.TimeFormat), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(start.Add(-time.Hour + 90*time.Second).Unix())},
		},
		"maintenance":          {status: 503, wait: 121 * time.Second, secondary: true, header: map[string]string{"Retry-After": "120"}},
		"a failure":            {status: 503},
		"years":                {status: 429, wait: 24*time.Hour + time.Second, secondary: true, header: map[string]string{"Retry-After": "99999999999"}},
		"the past":             {status: 429, wait: time.Second, secondary: true, header: map[string]string{"Retry-After": start.Add(-time.Hour).Format(http.TimeFormat)}},
		"less than nothing":    {status: 429, wait: time.Second, secondary: true, header: map[string]string{"Retry-After": "-5"}},
		"what nobody can read": {status: 429, wait: time.Minute, secondary: true, header: map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "later"}},
	} {
		t.Run(name, func(t *testing.T) {
			clock, limited, asked := forgetest.NewClock(), true, 0
			client, base := serve(t, clock, func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header()["Date"] = nil
				if limited {
					for k, v := range c.header {
						w.Header().Set(k, v)
					}
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, c.body)
				}
			})
			err := get(client, base+"/repos/a")
			var limit *forge.LimitError
			if !errors.As(err, &limit) {
				if c.wait > 0 {
					t.Fatalf("no limit: %v", err)
				}
				if c.status == 403 && !errors.Is(err, forge.ErrForbidden) {
					t.Fatalf("not forbidden: %v", err)
				}
				return
			}
			if wait := limit.Until.Sub(start); wait != c.wait || limit.Secondary != c.secondary {
				t.Fatalf("a limit of %s, secondary %t; want %s, %t", wait, limit.Secondary, c.wait, c.secondary)
			}
			limited = false
			if err := get(client, base+"/repos/b"); !errors.As(err, &limit) || asked != 1 {
				t.Errorf("the forge was asked %d times within its limit (%v)", asked, err)
			}
			if err := get(client, base+"/search/repositories"); (err == nil) != c.search {
				t.Errorf("a search within the limit: %v", err)
			}
			clock.Advance(c.wait)
			if err := get(client, base+"/repos/b"); err != nil {
				t.Errorf("after the limit: %v", err)
			}
		})
	}
}

// TestLastRequest stops before the forge has to say no, and starts again afterwards.
func TestLastRequest(t *testing.T) {
	clock, asked := forgetest.NewClock(), 0
	reset := clock.Now().Add(10 * time.Minute)
	client, base := serve(t, clock, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header()["Date"] = nil
		w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(2-asked))
		w.Header().Set("X-RateLimit-Reset", fmt.Sprint(reset.Unix()))
	})
	for range 2 {
		if err := get(client, base); err != nil {
			t.Fatal(err)
		}
	}
	var limit *forge.LimitError
	if err := get(client, base); !errors.As(err, &limit) || asked != 2 || limit.Secondary || limit.Until.Before(reset) {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestLimitsGrow waits twice as long for every limit in a row that names no time, up to half an hour and a bit.
func TestLimitsGrow(t *testing.T) {
	clock, ok := forgetest.NewClock(), false
	client, base := serve(t, clock, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		if !ok {
			w.WriteHeader(429)
		}
	})
	wait := func() time.Duration {
		var limit *forge.LimitError
		if err := do(client, http.MethodPost, base); !errors.As(err, &limit) {
			t.Fatal(err)
		}
		d := limit.Until.Sub(clock.Now())
		clock.Advance(d)
		return d
	}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 32} {
		if d := wait(); d != want*time.Minute {
			t.Errorf("waits %s, want %d minutes", d, want)
		}
	}
	ok = true
	if err := do(client, http.MethodPost, base); err != nil {
		t.Fatal(err)
	}
	ok = false
	if d := wait(); d != time.Minute {
		t.Errorf("waits %s after a success", d)
	}
}

// TestChangesAreASecondApart sends many changes at once, with looks in between that need not wait.
func TestChangesAreASecondApart(t *testing.T) {
	clock := forgetest.NewClock()
	var mu sync.Mutex
	var times []time.Time
	var at atomic.Int32
	client, base := serve(t, clock, func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		if at.Add(1) > 1 {
			t.Error("two changes at once")
		}
		defer at.Add(-1)
		mu.Lock()
		defer mu.Unlock()
		times = append(times, clock.Now())
	})
	var group sync.WaitGroup
	for i := range 40 {
		method := []string{http.MethodPost, http.MethodPatch, http.MethodGet, http.MethodPut, http.MethodDelete}[i%5]
		group.Go(func() {
			if err := do(client, method, base); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(times) != 32 {
		t.Fatalf("%d changes", len(times))
	}
	for i := range times[1:] {
		if d := times[i+1].Sub(times[i]); d < time.Second {
			t.Errorf("%s between two changes", d)
		}
	}
}

// TestWaitEnds gives up the wait for a turn when nobody wants the answer.
func TestWaitEnds(t *testing.T) {
	client, base := serve(t, forgetest.NewClock(), func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(req); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestMeanings goes through what a status means to a campaign.
func TestMeanings(t *testing.T) {
	meanings := []error{forge.ErrUnauthorized, forge.ErrForbidden, forge.ErrNotFound, forge.ErrInvalid, forge.ErrUnavailable}
	for status, want := range map[int]error{
		400: forge.ErrInvalid, 401: forge.ErrUnauthorized, 403: forge.ErrForbidden, 404: forge.ErrNotFound, 405: forge.ErrInvalid, 409: forge.ErrInvalid,
		410: forge.ErrNotFound, 422: forge.ErrInvalid, 423: forge.ErrInvalid, 451: forge.ErrForbidden,
		408: forge.ErrUnavailable, 500: forge.ErrUnavailable, 502: forge.ErrUnavailable, 503: forge.ErrUnavailable, 504: forge.ErrUnavailable,
	} {
		client, base := serve(t, forgetest.NewClock(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"no","errors":[{"resource":"PullRequest","code":"custom","message":"not `+token+` again"},{"field":"base","code":"invalid"}]}`)
		})
		err := polite.Cause(get(client, base+"/repos/a/b"))
		for _, m := range meanings {
			if errors.Is(err, m) != (m == want) {
				t.Errorf("%d is %v: %t", status, m, errors.Is(err, m))
			}
		}
		if polite.Refused(err) != (want != forge.ErrUnavailable && want != forge.ErrUnauthorized) {
			t.Errorf("%d is refused: %t", status, polite.Refused(err))
		}
		if got, want := err.Error(), fmt.Sprintf("GET /repos/a/b: %d no: not (hidden) again: code invalid: field base", status); got != strings.Replace(want, fmt.Sprintf("%d no", status), fmt.Sprintf("%d: no", status), 1) {
			t.Errorf("says %q", got)
		}
	}
}

// TestSaid keeps what a stranger says on one line, and short.
func TestSaid(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":{"title":["is too long","is bad"],"base":["is gone"]}}`: "base is gone: title is too long: title is bad",
		`{"error":"insufficient_scope","error_description":"needs api"}`:    "insufficient_scope: needs api",
		"plain\x1b[2Jtext\nof two lines\u202e":                              "plain [2Jtext of two lines",
		`{"message":["Another open merge request already exists: !7"]}`:     "Another open merge request already exists: !7",
		`{"message":"` + strings.Repeat("x", 500) + `"}`:                    strings.Repeat("x", 400) + "...",
		`{"message":"` + strings.Repeat("x", 396) + token + `"}`:            strings.Repeat("x", 396) + "(hid...",
	} {
		client, base := serve(t, forgetest.NewClock(), func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			_, _ = io.WriteString(w, body)
		})
		if said, ok := polite.Said(get(client, base), 422); !ok || said != want {
			t.Errorf("%q becomes %q, want %q", body, said, want)
		}
	}
}

// TestTokenStaysHome follows redirects within the forge and to somebody else.
func TestTokenStaysHome(t *testing.T) {
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.Contains(fmt.Sprint(r.Header), token) {
			t.Error("a stranger got the token")
		}
	}))
	defer stranger.Close()
	mine := 0
	client, base := serve(t, forgetest.NewClock(), func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Errorf("%s without the token", r.URL)
		}
		switch r.URL.Path {
		case "/old":
			http.Redirect(w, r, "/new", http.StatusMovedPermanently)
		case "/moved":
			http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, stranger.URL, http.StatusMovedPermanently)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusMovedPermanently)
		default:
			mine++
		}
	})
	for _, c := range []struct {
		method, path string
		want         error
	}{
		{"GET", "/old", nil}, {"POST", "/moved", nil}, {"GET", "/away", nil}, {"POST", "/old", forge.ErrInvalid},
	} {
		if err := do(client, c.method, base+c.path); !errors.Is(err, c.want) {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
	}
	if err := get(client, base+"/round"); err == nil {
		t.Error("went round for ever")
	}
	if mine != 2 {
		t.Errorf("reached %d times", mine)
	}
}

// TestAborted makes of a connection that breaks off an error that says nothing of the token and means nothing for good.
func TestAborted(t *testing.T) {
	client, base := serve(t, forgetest.NewClock(), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	err := get(client, base)
	if err == nil || polite.Refused(err) || errors.Is(err, forge.ErrUnauthorized) || strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
}

// TestPagesAdvance does not read a list for ever.
func TestPagesAdvance(t *testing.T) {
	if _, err := polite.Pages(func(page int) ([]int, int, error) { return []int{page}, 1, nil }); err == nil {
		t.Error("no error")
	}
	all, err := polite.Pages(func(page int) ([]int, int, error) { return []int{page}, []int{0, 2, 3, 0}[page], nil })
	if err != nil || len(all) != 3 {
		t.Error(all, err)
	}
}
