package main

import (
	"context"
	"errors"
	"fmt"
	"go/token"

	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
)

// errQuit is the outcome of a choice that was given up.
var errQuit = errors.New("quit")

// An asker lets a person at a terminal choose among fixes, one after the other, as git add -p does.
type asker struct {
	app  *app
	term *terminal
	// rules and packages are those of which everything is applied, rest is set once all others are left out.
	rules, packages map[string]bool
	rest            bool
	// decided are the answers of the round in hand, by the unit's ID: they hold when everything is planned anew.
	decided map[string]bool
	// round counts the offers that were answered, chosen the fixes.
	round, chosen int
}

// newAsker returns an error where nobody can be asked.
func (a *app) newAsker(flags *runFlags) (*asker, error) {
	if flags.format.value != "text" {
		return nil, &usageError{message: "fix -i and --format exclude each other", next: "--format is for programs, which cannot be asked"}
	}
	term, ok := a.terminal()
	if !ok {
		return nil, &usageError{message: "fix -i needs a terminal to ask at", next: "ctxmend diff shows the fixes, ctxmend fix applies all of them, and --rules, --level and package patterns choose among them"}
	}
	return &asker{app: a, term: term, rules: map[string]bool{}, packages: map[string]bool{}, decided: map[string]bool{}}, nil
}

// choose answers an offer.
func (k *asker) choose(ctx context.Context, offer *rewrite.Offer) (*rewrite.Choice, error) {
	choice := &rewrite.Choice{}
	for i, u := range offer.Units {
		take, known := k.known(u)
		if !known {
			names, yes, err := k.ask(ctx, offer, i)
			if err != nil {
				return nil, err
			}
			if len(names) > 0 {
				return &rewrite.Choice{Names: names}, nil
			}
			take = yes
			k.decided[u.ID] = take
		}
		if take {
			choice.Units = append(choice.Units, u)
		}
	}
	k.round++
	k.chosen += len(choice.Units)
	k.decided = map[string]bool{}
	return choice, nil
}

// known returns the answer that was given before.
func (k *asker) known(u *plan.Unit) (take, known bool) {
	if take, known = k.decided[u.ID]; known {
		return take, true
	}
	if k.rules[u.Rule] || k.packages[packageOf(u)] {
		return true, true
	}
	return false, k.rest
}

// packageOf returns the import path of the package in which the unit's first finding lies.
func packageOf(u *plan.Unit) string { return u.Findings[0].File.PkgPath }

// ask shows a unit and asks until there is an answer: take it or not, or new names.
func (k *asker) ask(ctx context.Context, offer *rewrite.Offer, i int) (names map[string]string, take bool, err error) {
	u := offer.Units[i]
	s, err := k.newScreen(offer, i)
	if err != nil {
		return nil, false, err
	}
	if err := s.show(); err != nil {
		return nil, false, err
	}
	for {
		key, err := k.term.key(ctx, s.prompt())
		if err != nil {
			return nil, false, err
		}
		switch key {
		case 'y':
			return nil, true, nil
		case 'n':
			return nil, false, nil
		case 'a':
			k.rules[u.Rule] = true
			return nil, true, nil
		case 'p':
			k.packages[packageOf(u)] = true
			return nil, true, nil
		case 's':
			k.rest = true
			return nil, false, nil
		case 'q', endOfInput:
			return nil, false, errQuit
		case 'e':
			if names, err := k.names(ctx, u); err != nil || len(names) > 0 {
				return names, false, err
			}
		default:
			if err := s.tell(key); err != nil {
				return nil, false, err
			}
		}
	}
}

// names asks for other names of the unit's keys.
func (k *asker) names(ctx context.Context, u *plan.Unit) (map[string]string, error) {
	if len(u.Names) == 0 {
		return nil, k.term.say("this fix makes no name for a key\n")
	}
	names := map[string]string{}
	for _, n := range u.Names {
		text, err := k.term.line(ctx, fmt.Sprintf("name for key %s, now %s: ", n.Key, n.Is))
		if err != nil {
			return nil, err
		}
		switch {
		case text == "" || text == n.Is:
		case !token.IsIdentifier(text):
			if err := k.term.say("%q is no name in Go; %s stays\n", text, n.Is); err != nil {
				return nil, err
			}
		default:
			names[n.Key] = text
		}
	}
	return names, nil
}

// needs asks about a unit that does not hold without one that was left out.
func (k *asker) needs(ctx context.Context, u, other *plan.Unit) (bool, error) {
	if err := k.term.say("%s does not type-check without %s, which was left out\n", u.ID, other.ID); err != nil {
		return false, err
	}
	for {
		key, err := k.term.key(ctx, "apply both? [y,n,q] ")
		if err != nil {
			return false, err
		}
		switch key {
		case 'y', 'n':
			return key == 'y', nil
		case 'q', endOfInput:
			return false, errQuit
		}
	}
}

// interactive makes a run ask which fixes are to be applied.
func (k *asker) interactive(ctx context.Context) func(*rewrite.Options) {
	return func(opts *rewrite.Options) {
		opts.Choose = k.choose
		opts.Needs = func(u, other *plan.Unit) (bool, error) { return k.needs(ctx, u, other) }
	}
}

// others counts the units behind one that are of the same rule, or in the same package.
func others(units []*plan.Unit, same func(*plan.Unit) bool) int {
	n := 0
	for _, u := range units {
		if same(u) {
			n++
		}
	}
	return n
}
