package polite

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// The kinds of requests that have limits of their own. Limits on bursts hold for everything.
const (
	everything = ""
	ordinary   = "ordinary"
	searches   = "searches"
)

const (
	// unnamed is how long a limit is taken to hold that names no time, the first time; it doubles from one to the next.
	unnamed = time.Minute
	// longest bounds what a header may ask for: a campaign looks again the next day.
	longest = 24 * time.Hour
)

// kindOf tells which allowance a request draws on: GitHub counts searches apart.
func kindOf(req *http.Request) string {
	if strings.Contains(req.URL.Path, "/search/") {
		return searches
	}
	return ordinary
}

// limited returns the limit that forbids a request now.
func (t *transport) limited(req *http.Request) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock.Now()
	for _, kind := range []string{everything, kindOf(req)} {
		if limit := t.limits[kind]; limit != nil && now.Before(limit.Until) {
			return limit
		}
	}
	return nil
}

// remember keeps a limit, unless a longer one is known.
func (t *transport) remember(kind string, limit *forge.LimitError) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.limits[kind]; known == nil || known.Until.Before(limit.Until) {
		t.limits[kind] = limit
	}
}

// calm forgets the row of limits: a change went through.
func (t *transport) calm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bursts = 0
}

// limit tells whether a refusal asks for patience, and for how long. GitHub says so with 403 or 429, Retry-After for
// bursts, and an allowance of nothing left for the hour; in the text where it forgets the headers. GitLab says 429.
// A service in maintenance says 503 with Retry-After.
func (t *transport) limit(resp *http.Response, problem *Problem, now time.Time) *forge.LimitError {
	if resp.StatusCode >= 500 {
		if until, ok := retryAfter(resp.Header, now); ok {
			return &forge.LimitError{Until: until, Secondary: true, Cause: problem}
		}
		return nil
	}
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	burst := saysBurst(problem)
	if until, ok := retryAfter(resp.Header, now); ok {
		_, spent := allowance(resp.Header, now)
		return &forge.LimitError{Until: until, Secondary: burst || !spent, Cause: problem}
	}
	if reset, spent := allowance(resp.Header, now); spent {
		return &forge.LimitError{Until: reset, Secondary: burst, Cause: problem}
	}
	if !burst && !strings.Contains(problem.Said, "rate limit exceeded") && resp.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	if reset, ok := resets(resp.Header, now); ok && !burst {
		return &forge.LimitError{Until: reset, Secondary: true, Cause: problem}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	wait := unnamed << min(t.bursts, 5)
	t.bursts++
	return &forge.LimitError{Until: now.Add(wait), Secondary: true, Cause: problem}
}

// saysBurst tells by GitHub's words, or the page they point to, that it means the limit on bursts.
func saysBurst(p *Problem) bool {
	return strings.Contains(p.Said, "secondary rate limit") || strings.Contains(p.Said, "abuse detection") ||
		strings.Contains(p.page, "secondary-rate-limits") || strings.Contains(p.page, "abuse-rate-limits")
}

// retryAfter reads Retry-After: seconds, or a date.
func retryAfter(h http.Header, now time.Time) (time.Time, bool) {
	value := h.Get("Retry-After")
	if value == "" {
		return time.Time{}, false
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return within(now, time.Duration(max(0, min(seconds, int64(longest/time.Second))))*time.Second), true
	}
	if date, err := http.ParseTime(value); err == nil {
		return within(now, date.Sub(theirs(h, now))), true
	}
	return time.Time{}, false
}

// allowance tells whether nothing is left of it, and when there is a new one.
func allowance(h http.Header, now time.Time) (reset time.Time, spent bool) {
	left := h.Get("X-RateLimit-Remaining")
	if left == "" {
		left = h.Get("RateLimit-Remaining")
	}
	if left != "0" {
		return time.Time{}, false
	}
	return resets(h, now)
}

// resets reads when there is a new allowance, in seconds since 1970: GitHub's header, then GitLab's, then the date that
// GitLab gives as well.
func resets(h http.Header, now time.Time) (time.Time, bool) {
	for _, name := range []string{"X-RateLimit-Reset", "RateLimit-Reset"} {
		if seconds, err := strconv.ParseInt(h.Get(name), 10, 64); err == nil && seconds > 0 {
			return within(now, time.Unix(seconds, 0).Sub(theirs(h, now))), true
		}
	}
	if date, err := http.ParseTime(h.Get("RateLimit-ResetTime")); err == nil {
		return within(now, date.Sub(theirs(h, now))), true
	}
	return time.Time{}, false
}

// theirs is the time on the forge's clock, which need not agree with ours.
func theirs(h http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return now
}

// within bounds a wait, and leaves a second for what the forge's whole seconds hide.
func within(now time.Time, wait time.Duration) time.Time {
	return now.Add(min(max(wait, 0), longest) + time.Second)
}
