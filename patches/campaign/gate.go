package campaign

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Waiting change says why it waits.
type Waiting struct {
	Change *Change
	Why    string
	// Until is when to look again, zero where that depends on people.
	Until time.Time
}

// Gate says which verified changes may be published now, and why the others may not. It is the only
// place where windows, limits and canaries are decided, and looks at nothing but its arguments.
func Gate(cfg *Config, now time.Time, repositories []*Repository, changes []*Change) (admit []*Change, waiting []Waiting) {
	order, settled := map[string]int{}, map[string]bool{}
	for _, r := range repositories {
		order[r.Name], settled[r.Name] = r.Order, r.State == RepositoryAnalysed
	}
	for _, c := range changes {
		if c.State == ChangePlanned && c.Admitted.IsZero() {
			settled[c.Repository] = false // which of several goes first does not depend on which is verified first
		}
	}
	var ready []*Change
	inRepository, inOrganization, lastHour := map[string]int{}, map[string]int{}, []time.Time{}
	for _, c := range changes {
		if c.State == ChangeVerified {
			ready = append(ready, c)
		}
		if c.Published() {
			inRepository[c.Repository]++
			inOrganization[organization(c.Repository)]++
		}
		if c.Admitted.After(now.Add(-time.Hour)) {
			lastHour = append(lastHour, c.Admitted)
		}
	}
	slices.SortFunc(ready, func(a, b *Change) int {
		return cmp.Or(cmp.Compare(order[a.Repository], order[b.Repository]), strings.Compare(a.Shard, b.Shard))
	})
	slices.SortFunc(lastHour, time.Time.Compare)
	opens := cfg.Window.opens(now)
	canaries, held := canary(cfg.Canary, repositories, changes)
	wait := func(c *Change, until time.Time, format string, args ...any) {
		waiting = append(waiting, Waiting{c, fmt.Sprintf(format, args...), until})
	}
	for _, c := range ready {
		org, l := organization(c.Repository), cfg.Limits
		counted := !c.Admitted.IsZero() // its pull request exists or has its place already
		switch {
		case !settled[c.Repository]:
			wait(c, time.Time{}, "its repository is being looked at, or left out")
		case opens.After(now):
			wait(c, opens, "%s", windowOpens(opens))
		case counted:
			admit = append(admit, c)
		case held != "" && !canaries[c.Repository]:
			wait(c, time.Time{}, "%s", held)
		case inRepository[c.Repository] >= l.OpenPerRepository:
			wait(c, time.Time{}, "%d open in this repository (limits.open_per_repository)", inRepository[c.Repository])
		case l.OpenPerOrganization > 0 && inOrganization[org] >= l.OpenPerOrganization:
			wait(c, time.Time{}, "%d open in %s (limits.open_per_organization)", inOrganization[org], cmp.Or(org, "all"))
		case len(lastHour) >= l.PerHour:
			until := lastHour[len(lastHour)-l.PerHour].Add(time.Hour)
			wait(c, until, "%d opened within an hour (limits.per_hour)", len(lastHour))
		default:
			admit = append(admit, c)
			inRepository[c.Repository]++
			inOrganization[org]++
			lastHour = append(lastHour, now)
		}
	}
	return admit, waiting
}

func windowOpens(at time.Time) string {
	return "the window opens at " + at.Format("Mon 2006-01-02 15:04 MST")
}

func organization(repository string) string {
	r := Repository{Name: repository}
	return r.Organization()
}

// canary returns the repositories that go first, and why the others wait; "" when they need not.
func canary(cfg Canary, repositories []*Repository, changes []*Change) (first map[string]bool, held string) {
	if cfg.Repositories == 0 {
		return nil, ""
	}
	of := map[string][]*Change{}
	for _, c := range changes {
		if c.State != ChangeObsolete && c.State != ChangeRed && c.State != ChangeFailed {
			of[c.Repository] = append(of[c.Repository], c)
		}
	}
	list := slices.Clone(repositories)
	slices.SortFunc(list, func(a, b *Repository) int { return cmp.Compare(a.Order, b.Order) })
	first = map[string]bool{}
	settled, unknown := 0, 0
	for _, r := range list {
		if len(first) == cfg.Repositories {
			break
		}
		open := r.State == RepositoryNew || r.State == RepositoryCloned
		if len(of[r.Name]) == 0 && !open {
			continue // nothing to be learned from
		}
		first[r.Name] = true
		if open && len(of[r.Name]) == 0 {
			unknown++
			continue
		}
		if refused(of[r.Name]) {
			return first, fmt.Sprintf("a canary's pull request was closed or taken over: %s", r.Name)
		}
		if cfg.done(of[r.Name]) {
			settled++
		}
	}
	switch {
	case unknown > 0:
		return first, "it is not known yet which repositories are canaries"
	case settled < len(first):
		return first, fmt.Sprintf("%d of %d canaries are %s", settled, len(first), cfg.Until)
	}
	return first, ""
}

func refused(changes []*Change) bool {
	return slices.ContainsFunc(changes, func(c *Change) bool {
		return c.State == ChangeClosed || c.State == ChangeForeign || c.State == ChangeWithdrawn
	})
}

// done tells whether a canary has had all its changes accepted.
func (cfg Canary) done(changes []*Change) bool {
	return !slices.ContainsFunc(changes, func(c *Change) bool {
		return c.State != ChangeMerged && !(cfg.Until == "approved" && c.State == ChangeOpen && c.Approved && !c.Asked)
	})
}

// opens returns when the window is open next: now, when it is.
func (w Window) opens(now time.Time) time.Time {
	zone, err := time.LoadLocation(string(w.Zone))
	if err != nil {
		zone = time.UTC
	}
	from, until, ok := w.Hours.span()
	if !ok {
		from, until = 0, 24*60
	}
	local := now.In(zone)
	// A span that began yesterday may still last: 22:00-05:00.
	for day := -1; day <= 7; day++ {
		midnight := time.Date(local.Year(), local.Month(), local.Day()+day, 0, 0, 0, 0, zone)
		if len(w.Days) > 0 && !slices.Contains(w.Days, strings.ToLower(midnight.Weekday().String())) {
			continue
		}
		end := until
		if until <= from {
			end += 24 * 60
		}
		begins, ends := clock(midnight, from), clock(midnight, end)
		switch {
		case !now.Before(ends):
		case now.Before(begins):
			return begins
		default:
			return now
		}
	}
	return now.AddDate(0, 0, 7) // not reached: a week has every day
}

// clock returns a time of the day, by the clock on the wall: days on which it is changed are not 24 hours long.
func clock(midnight time.Time, minutes int) time.Time {
	return time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 0, minutes, 0, 0, midnight.Location())
}
